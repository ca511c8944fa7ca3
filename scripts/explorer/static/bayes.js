// Classifier and Bayes

import {ask, between, degrees, handle, land, latest, percent, picture, place,
        tenth} from "./common.js";

// Okabe and Ito's colors, in the order of the labels, as in Figure 1-2
const COLORS = ["#E69F00", "#56B4E9", "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#F0E442"];

export async function start(section) {
  const svg = section.querySelector("svg"), side = section.querySelector("select");
  await land(svg);
  const scene = await ask("bayes", "scene");
  let x = [48, 60];
  const rows = scene.labels.map((label, i) => {
    const row = section.querySelector("tbody").insertRow(), head = document.createElement("th");
    head.scope = "row";
    head.textContent = label;
    head.style.setProperty("--mark", COLORS[i]);
    row.append(head);
    return [0, 1, 2].map(() => row.insertCell());
  });
  const point = handle(svg, {
    label: "the point x", size: 4, step: 1, range: [-90, 90], at: () => [x[1], x[0]],
    to: (right, up) => {
      x = [between(-90, tenth(up), 90), between(-180, tenth(right), 180)];
      update();
    }});

  const answer = latest(section, "bayes", "answer", ({network, bayes, priors, truth}, asked) => {
    rows.forEach((cells, i) => {
      [network, bayes, priors].forEach((p, j) => { cells[j].textContent = percent(p[i]); });
      [network, bayes].forEach((p, j) => {
        cells[j].classList.toggle("best", p[i] === Math.max(...p));
      });
    });
    const [first, second] = [network, bayes].map(p => scene.labels[p.indexOf(Math.max(...p))]);
    const where = `(${degrees(asked.x[0])}, ${degrees(asked.x[1])})`;
    section.querySelector("caption").textContent = `At x = ${where}; the truth: ${truth}`;
    point.update(asked.x[0], `${where}: classifier ${first}, Bayes ${second}, truth ${truth}`);
  });
  function update() {
    point.update(x[0], x.map(degrees).join(", "));
    answer({x});
  }
  function paint() {
    picture(section.querySelector("canvas"), scene[side.value], scene.rows, scene.columns, label =>
      [1, 3, 5].map(i => parseInt(COLORS[label].slice(i, i + 2), 16)).concat(130), true);
  }
  svg.addEventListener("click", event => {
    const [right, up] = place(svg, event);
    x = [tenth(up), tenth(right)];
    update();
  });
  side.addEventListener("change", paint);
  paint();
  update();
}
