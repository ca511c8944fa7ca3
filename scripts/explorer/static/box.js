// The box and its cliff

import {ask, between, button, degrees, draw, fixed, handle, land, latest, nats, percent, place,
        scatter, scientific, show, tenth} from "./common.js";

const SIDES = ["south, θ1", "west, θ2", "north, θ3", "east, θ4"];
const CORNERS = [[0, 1], [0, 3], [2, 1], [2, 3]];           // south and west, ...
const BORDERS = [-90, -180, 90, 180];
const MEANING = {A: "only the model makes it", B: "only the rule makes it", C: "both make it",
                 neither: "neither makes it"};
const RULE = ["in_the_sea", "missed_land", "kl_data_model", "kl_model_data", "jensen_shannon"];

export async function start(section) {
  const [svg, graph] = section.querySelectorAll("svg");
  const {points, theta_hat} = await ask("box", "scene");
  let theta = [...theta_hat], side = 3, probe = [20, 0], revealed = false, outline;

  const rectangle = draw(svg, "rect", {class: "box"});
  const marks = scatter(svg, 2);
  const spot = handle(svg, {
    label: "place of the verdict", size: 3, step: 1, kind: "probe", range: [-90, 90],
    at: () => [probe[1], probe[0]], to: (x, y) => { move([y, x]); }});

  // Where a handle lies: in the middle of its side, or on its corner
  const latitude = sides => sides.find(i => i % 2 === 0);
  const longitude = sides => sides.find(i => i % 2 === 1);
  const handles = [[0], [1], [2], [3], ...CORNERS].map(sides => {
    const at = () => [theta[longitude(sides)] ?? (theta[1] + theta[3]) / 2,
                      theta[latitude(sides)] ?? (theta[0] + theta[2]) / 2];
    const to = (x, y) => {
      for (const i of sides) {
        const most = Math.abs(BORDERS[i]);
        theta[i] = between(-most, tenth(i % 2 ? x : y), most);
        side = i;
      }
      update();
    };
    const home = () => { for (const i of sides) theta[side = i] = theta_hat[i]; update(); };
    const label = (sides.length > 1 ? "corner " : "side ") + sides.map(i => SIDES[i]).join(" and ");
    const most = Math.abs(BORDERS[sides[0]]);
    return {sides, ...handle(svg, {label, size: 4, step: 1, at, to, home, range: [-most, most]})};
  });

  const answer = latest(section, "box", "answer", (numbers, asked) => {
    const inside = numbers.inside.filter(Boolean).length, outside = points.length - inside;
    marks(points, numbers.inside);
    show(section, "inside", `${inside} of ${points.length}`, outside > 0);
    show(section, "p", scientific(numbers.p));
    show(section, "likelihood", scientific(numbers.likelihood), numbers.likelihood === 0);
    show(section, "log_likelihood", `${fixed(numbers.log_likelihood, 2)} nats`, outside > 0);
    for (const name of RULE) {
      const written = name.includes("_l") || name.includes("sea") ? share : nats;
      show(section, name, revealed ? written(numbers[name]) : "?");
    }
    plot(graph, numbers, asked, points);
    show(section, "curve", `ℓ(θ|X) as a function of θ${asked.side + 1} alone, now ` +
      `${degrees(asked.theta[asked.side])}; at most ${fixed(highest(numbers.values), 2)} nats, ` +
      "and −∞ where a point (tick) lies outside");
    for (const {sides, update} of handles) {
      update(theta[sides[0]], `${sides.map(i => degrees(theta[i])).join(", ")}; ${inside} of ` +
        `${points.length} points inside, ℓ ${fixed(numbers.log_likelihood, 2)}`);
    }
  });

  const judge = latest(section, "box", "judge", ({kind, p_data, p_model}, {x}) => {
    const line = section.querySelector("[data-show=verdict]"), b = document.createElement("b");
    const where = `(${degrees(x[0])}, ${degrees(x[1])})`;
    b.textContent = kind;
    line.replaceChildren(b, ` at ${where}: p_data = ${scientific(p_data)}, p_model = ` +
      `${scientific(p_model)} – ${MEANING[kind]}`);
    spot.update(probe[0], `${where}: ${kind}, ${MEANING[kind]}`);
  }, ".told.of-verdict");

  function move(x) {
    probe = [between(-90, tenth(x[0]), 90), between(-180, tenth(x[1]), 180)];
    spot.update(probe[0], `${degrees(probe[0])}, ${degrees(probe[1])}`);
    if (revealed) judge({theta, x: probe});
    else show(section, "verdict", "A, B or C? Reveal the rule, and point at a place of the map.");
  }

  function update() {
    const [south, west, north, east] = theta;
    const frame = {x: Math.min(west, east), y: -Math.max(south, north),
                   width: Math.abs(east - west), height: Math.abs(north - south)};
    for (const [name, value] of Object.entries(frame)) rectangle.setAttribute(name, value);
    for (const {sides, update} of handles) {
      update(theta[sides[0]], sides.map(i => degrees(theta[i])).join(", "));
    }
    answer({theta: [...theta], side});
    move(probe);
  }

  svg.addEventListener("pointermove", event => {
    if (event.buttons === 0) { const [x, y] = place(svg, event); move([y, x]); }
  });
  button(section, "back").addEventListener("click", () => { theta = [...theta_hat]; update(); });
  button(section, "reveal").addEventListener("click", async ({currentTarget}) => {
    revealed = !revealed;
    currentTarget.textContent = revealed ? "Hide the rule" : "Reveal the rule";
    currentTarget.setAttribute("aria-pressed", revealed);
    outline ??= await land(svg);
    outline.style.display = revealed ? "" : "none";
    update();
  });
  update();
}

// A share that is little is not none: a strip of missed land makes a divergence infinite
const share = x => x > 1e-9 && x < 0.0005 ? "< 0.1 %" : percent(x);

const highest = values => values.reduce((a, b) => b === "-inf" || b < a ? a : b, "-inf");

// ℓ as one side moves: a line where all points are inside, a dotted cliff at its end
function plot(svg, {places, values}, {theta, side}, points) {
  const most = Math.abs(BORDERS[side]), right = x => (360 * (x + most) / (2 * most)).toFixed(2);
  const held = places.map((x, i) => [x, values[i]]).filter(([, value]) => value !== "-inf");
  const all = held.map(([, value]) => value);
  const least = Math.min(...all), range = Math.max(...all) - least || 1;
  const up = value => (70 - 58 * (value - least) / range).toFixed(2);
  svg.replaceChildren();
  for (const x of points) draw(svg, "path", {class: "tick", d: `M${right(x[side % 2])},90v-8`});
  draw(svg, "path", {class: "now", d: `M${right(theta[side])},0v90`});
  if (held.length) {
    draw(svg, "path", {d: "M" + held.map(([x, value]) => `${right(x)},${up(value)}`).join("L")});
    const [x, value] = held[side < 2 ? held.length - 1 : 0];
    draw(svg, "path", {class: "cliff", d: `M${right(x)},${up(value)}V90`});
  }
  svg.setAttribute("aria-label", `log-likelihood as a function of the side ${SIDES[side]}: ` +
    (held.length ? `from ${fixed(least, 2)} to ${fixed(Math.max(...all), 2)} nats where all ` +
      "points are inside, minus infinity elsewhere" : "minus infinity everywhere"));
}
