// Two numbers make a tin

import {ask, between, button, draw, fixed, handle, latest, picture, show} from "./common.js";

const SIDE = 32, gray = value => [...Array(3).fill(255 * between(0, value, 1)), 255];

export async function start(section) {
  const svg = section.querySelector("svg");
  const {codes, low, high, start} = await ask("tin", "scene");
  const bottom = low[1] - 0.6, top = high[1] + 0.6, width = 1.4 * (top - bottom);
  const left = (low[0] + high[0] - width) / 2, right = left + width, size = width / 110;
  svg.setAttribute("viewBox", `${left} ${-top} ${width} ${top - bottom}`);
  draw(svg, "path", {class: "codes", "stroke-width": size,
                     d: codes.map(([x, y]) => `M${x.toFixed(3)},${(-y).toFixed(3)}h0`).join("")});
  let z = [...start];
  const point = handle(svg, {
    label: "the code z", size: 1.6 * size, step: 0.1, range: [left, right],
    at: () => z,
    to: (x, y) => { z = [between(left, x, right), between(bottom, y, top)]; update(); },
    home: () => { z = [...start]; update(); }});

  const answer = latest(section, "tin", "answer", ({decoded, nearest, latent, distance}, asked) => {
    for (const [name, values] of Object.entries({decoded, nearest})) {
      picture(section.querySelector(`[data-picture=${name}]`), values, SIDE, SIDE, gray);
    }
    const [height, wide] = latent.map(x => fixed(x, 2));
    show(section, "latent", `${height}, ${wide}`);
    show(section, "distance", fixed(distance, 3), distance > 0.02);
    point.update(asked.z[0], `${asked.z.map(x => fixed(x, 2)).join(", ")}: height ${height}, ` +
      `width ${wide}, ${fixed(distance, 3)} from the nearest true tin`);
  });
  const taller = latest(section, "tin", "taller", answered => { z = answered.z; update(); });

  function update() {
    point.update(z[0], z.map(x => fixed(x, 2)).join(", "));
    show(section, "z", z.map(x => fixed(x, 2)).join(", "));
    answer({z});
  }
  button(section, "taller").addEventListener("click", () => taller({z, rows: 1}));
  button(section, "lower").addEventListener("click", () => taller({z, rows: -1}));
  update();
}
