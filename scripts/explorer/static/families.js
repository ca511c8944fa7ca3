// Choose a family

import {ask, button, land, latest, nats, percent, picture, scatter, show} from "./common.js";

const BLUE = [0, 114, 178], FULL = 2;                       // times the density of the rule on land

export async function start(section) {
  const svg = section.querySelector("svg"), canvas = section.querySelector("canvas");
  const [name, dense] = [section.querySelector("select"), section.querySelector("input")];
  await land(svg);
  const marks = scatter(svg, 1), {families} = await ask("families", "scene");
  let seed = 0;
  const spoken = name => name.replaceAll("_", " ");
  for (const family of families) name.add(new Option(spoken(family.name), family.name));
  name.value = "autoregressive";

  const draws = latest(section, "families", "draws", ({points, land, in_the_sea}, asked) => {
    if (asked.name !== name.value) return false;            // another has been chosen meanwhile
    marks(points, land);
    show(section, "draws", points.length.toLocaleString("en"));
    show(section, "in_the_sea", percent(in_the_sea));
    svg.setAttribute("aria-label", `${points.length} samples of the model ` +
      `${spoken(asked.name)}, ${percent(in_the_sea)} in the sea`);
  });
  const density = latest(section, "families", "density", ({values, rows, columns, how}, asked) => {
    if (!dense.checked || asked.name !== name.value) return false;
    const color = value => [...BLUE, 255 * Math.min(value / FULL, 1)];
    picture(canvas, values ?? Array(rows * columns).fill(0), rows, columns, color, true);
    show(section, "how", values
      ? `Density: ${how}; full color from twice that of the rule on land on.`
      : `Density: ${how}.`);
  }, ".told.of-density");

  function choose() {
    const family = families.find(family => family.name === name.value);
    show(section, "branch", family.branch.join(", "));
    show(section, "kl", family.kl !== undefined ? nats(family.kl)
      : family.elbo_kl !== undefined ? `at most ${nats(family.elbo_kl)}` : "unknown");
    show(section, "sea", percent(family.sea));
    show(section, "reached", percent(family.reached));
    show(section, "parameters", family.parameters.toLocaleString("en"));
    show(section, "seeds", family.seeds);                   // each training set has its own
    forget();
    draws({name: name.value, seed});
    paint();
  }
  function forget() {                                       // the draws of another family
    marks([], []);
    show(section, "draws", "…");
    show(section, "in_the_sea", "…");
    svg.setAttribute("aria-label", `Samples of the model ${spoken(name.value)} are being computed`);
    section.querySelector(".told").replaceChildren();
  }
  function paint() {
    svg.classList.toggle("over", dense.checked);
    canvas.width = canvas.width;                            // empty
    show(section, "how", dense.checked ? "Its density is being computed." : "");
    section.querySelector(".told.of-density").replaceChildren();
    if (dense.checked) density({name: name.value});
  }
  name.addEventListener("change", choose);
  dense.addEventListener("change", paint);
  button(section, "draw").addEventListener("click", () => draws({name: name.value, seed: ++seed}));
  choose();
}
