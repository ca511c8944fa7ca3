// Sail it

import {ask, button, draw, fixed, land, latest, show} from "./common.js";

const HEADINGS = ["north", "east", "south", "west"];        // 0, 1, 2, 3
const KEYS = ["ArrowUp", "ArrowRight", "ArrowDown", "ArrowLeft"];
const ARROW = "M0,1.4V-1.4M-0.8,-0.6L0,-1.4L0.8,-0.6";      // to the north
const PAUSE = 60;                                           // milliseconds of a step
const steps = (n, digits = 1) => `${fixed(n, digits)} steps`;

export async function start(section) {
  const [mine, planned] = section.querySelectorAll(".columns");
  const scene = await ask("sail", "scene"), maps = [mine, planned].map(part => chart(part, scene));
  for (const part of [mine, planned]) await land(part.querySelector("svg"));
  const plan = startPlan(planned, maps[1], scene);
  startVoyage(mine, maps[0], scene, plan);
}

// The reader's own voyage. `plan` is told of all voyages, a seed and headings each.
function startVoyage(part, map, scene, plan) {
  const svg = part.querySelector("svg");
  const arrows = map.arrows("wind"), track = draw(svg, "path", {class: "track"});
  const ship = draw(svg, "circle", {class: "ship", r: 1.3});
  let log = [], seed = 0, headings = "", sailed = "", ended = false;
  let wind = null, revealed = false;

  const voyage = latest(part, "sail", "voyage", (answer, asked) => {
    if (asked.seed !== seed) return;
    sailed = asked.headings.slice(0, answer.track.length - 1);
    ended = answer.ended;
    if (ended) headings = sailed;
    const places = answer.track.map(s => scene.cells[s]), [from, to] = places.slice(-2);
    track.setAttribute("d", line(places));
    [ship.cx.baseVal.value, ship.cy.baseVal.value] = [places.at(-1)[1], -places.at(-1)[0]];
    show(part, "steps", `${sailed.length}`);
    show(part, "status", tell(sailed, from, to, answer));
    plan([...log, [seed, sailed]]);
  });

  const tell = (sailed, from, to, {arrived, ended}) => {
    if (!sailed) {
      return `The ship lies at ${position(from)}, the goal at ` +
        `${position(scene.cells[scene.arrives])}. Steer by the buttons or the arrow keys.`;
    }
    const heading = HEADINGS.find(name => name[0].toUpperCase() === sailed.at(-1));
    const moved = `${from}` === `${to}` ? `stayed at ${position(to)}` : `came to ${position(to)}`;
    return `Steered ${heading}, ${moved}.` + (arrived ? ` Arrived after ${sailed.length} steps.`
      : ended ? ` The voyage ends here, after ${sailed.length} steps.` : "");
  };
  function steer(heading) {
    if (ended) return;
    headings += HEADINGS[heading][0].toUpperCase();
    voyage({seed, headings});
  }
  HEADINGS.forEach((name, i) => button(part, name).addEventListener("click", () => steer(i)));
  for (const place of [svg, part.querySelector(".helm")]) {
    place.addEventListener("keydown", event => {
      const heading = KEYS.indexOf(event.key);
      if (heading < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
      steer(heading);
      event.preventDefault();
    });
  }
  button(part, "again").addEventListener("click", () => {
    if (sailed) log.push([seed, sailed]);
    const length = () => log.reduce((sum, [, headings]) => sum + headings.length, scene.limit);
    while (log.length >= scene.voyages || length() > scene.steps) log.shift();   // the oldest
    [seed, headings, sailed, ended] = [seed + 1, "", "", false];
    voyage({seed, headings});
  });
  const windOf = latest(part, "sail", "wind", answer => { wind = answer; blow(); });
  function blow() {
    const seen = revealed && wind;
    arrows(seen ? wind.toward : []);
    show(part, "wind", seen ? "The wind carries the ship a cell along its arrow with probability " +
      `${fixed(wind.probability, 2)}, whatever you steer.` : "");
  }
  button(part, "reveal").addEventListener("click", ({currentTarget}) => {
    revealed = !revealed;
    currentTarget.textContent = revealed ? "Hide the wind" : "Reveal the wind";
    currentTarget.setAttribute("aria-pressed", revealed);
    if (revealed && !wind) windOf({}); else blow();
  });
  svg.setAttribute("aria-label", "The sea, with your ship; arrow keys steer it");
  show(part, "optimum", steps(scene.optimum));
  show(part, "blind", steps(scene.blind));
  voyage({seed, headings});
}

// The plan of a model: a function of the reader's voyages
function startPlan(part, map, scene) {
  const svg = part.querySelector("svg"), slider = part.querySelector("[type=range]");
  const count = part.querySelector("[type=checkbox]"), play = button(part, "play");
  const arrows = map.arrows("plan"), lines = draw(svg, "g", {class: "tracks"});
  const ships = draw(svg, "path", {class: "ships"});
  let seed = 0, voyages = [], tracks = [], timer = null;

  const answer = latest(part, "sail", "answer", numbers => {
    stop();
    ({tracks} = numbers);
    arrows(numbers.plan);
    sail(scene.limit);
    show(part, "logged", numbers.logged.toLocaleString("en"));
    show(part, "own", numbers.own.toLocaleString("en"));
    show(part, "dreamt", steps(numbers.dreamt));
    show(part, "sailed", steps(numbers.sailed));
    show(part, "arrived", `${numbers.arrived} of ${tracks.length}`, numbers.arrived === 0);
    slider.setAttribute("aria-valuetext", `${slider.value} steps: ${steps(numbers.dreamt)} ` +
      `dreamt, ${steps(numbers.sailed)} sailed`);
    svg.setAttribute("aria-label", `The plan, an arrow for each cell, and ${tracks.length} ships ` +
      `that follow it: ${steps(numbers.dreamt)} dreamt, ${steps(numbers.sailed)} sailed`);
  });
  const update = () => answer({
    steps: Number(slider.value), seed,
    voyages: count.checked ? voyages.filter(([, headings]) => headings) : []});

  // The ships after t steps, and their ways up to there
  function sail(t) {
    const ways = tracks.map(track => track.slice(0, t + 1));
    lines.replaceChildren();
    for (const way of ways) draw(lines, "path", {class: "track", d: line(way)});
    ships.setAttribute("d", ways.map(way => `${line(way.slice(-1))}h0`).join(""));
    return ways.some((way, i) => way.length < tracks[i].length);
  }
  function stop() { clearTimeout(timer); timer = null; play.textContent = "▶ Sail it"; }
  function next(t) {
    if (sail(t)) timer = setTimeout(() => next(t + 1), PAUSE); else stop();
  }
  play.addEventListener("click", () => {
    if (timer !== null) { stop(); sail(scene.limit); return; }
    play.textContent = "■ Stop";
    next(0);
  });
  slider.addEventListener("input", update);
  count.addEventListener("change", update);
  button(part, "log").addEventListener("click", () => { seed += 1; update(); });
  show(part, "optimum", steps(scene.optimum));
  show(part, "limit", `a voyage ends after ${scene.limit} steps`);
  [slider.max, slider.value] = [scene.explored, 1000];
  for (const control of [slider, play, button(part, "log")]) control.disabled = false;
  return all => { voyages = all; update(); };
}

const position = ([north, east]) => `${fixed(Math.abs(north), 1)}° ${north < 0 ? "S" : "N"} ` +
  `${fixed(Math.abs(east), 1)}° ${east < 0 ? "W" : "E"}`;
const line = places => `M${places.map(([north, east]) => `${east},${-north}`).join("L")}`;

// A map with the cells of the sea and both ports
function chart(part, {cells, departs, arrives}) {
  const svg = part.querySelector("svg");
  draw(svg, "path", {class: "cells", d: cells.map(
    ([north, east]) => `M${east - 2.5},${-north - 2.5}h5v5h-5z`).join("")});
  const under = draw(svg, "g");
  for (const [s, name] of [[departs, "Lisbon"], [arrives, "goal"]]) {
    const [north, east] = cells[s];
    draw(svg, "circle", {class: "port", cx: east, cy: -north, r: 1.9});
    draw(svg, "text", {class: "port-name", x: east, y: -north - 2.8}).textContent = name;
  }
  // A function that draws an arrow in each cell, by headings
  return {arrows: kind => {
    const group = draw(under, "g", {class: kind});
    return headings => group.replaceChildren(...headings.map((heading, s) => draw(group, "path", {
      class: "arrow", d: ARROW,
      transform: `translate(${cells[s][1]},${-cells[s][0]}) rotate(${90 * heading})`})));
  }};
}
