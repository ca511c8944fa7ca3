// What all panels share: asking the server, writing its numbers, drawing maps, and handles that are
// dragged or moved by keys. Nothing here computes; coordinates become places on the screen.

// Asking

export async function ask(panel, question, values = {}) {
  const query = new URLSearchParams(
    Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]));
  const start = performance.now();
  let response, answer;
  try {
    response = await fetch(`/api/${panel}/${question}?${query}`);
    answer = await response.json();
  } catch {
    throw new Error("The server does not answer. Is scripts/explore.py still running?");
  }
  if (!response.ok) throw new Error(answer.error);
  answer.way = (performance.now() - start) / 1000;
  return answer;
}

// A function that asks with the values of its last call: one question is on its way at a time, and
// those that were asked meanwhile, except for the last, never leave. So a slow answer delays one.
// `show` draws the answer, or gives false if it is out of date.
export function latest(section, panel, question, show, line = ".told") {
  let busy = false, waiting = null;
  async function next(values) {
    busy = true;
    try {
      const answer = await ask(panel, question, values);
      say(section, "");
      if (show(answer, values) !== false) told(section, answer, line);
    } catch (error) {
      say(section, error.message);
    }
    busy = false;
    if (waiting) { const last = waiting; waiting = null; next(last); }
  }
  return values => { if (busy) waiting = values; else next(values); };
}

export function say(section, sentence) {
  const alert = section.querySelector("[role=alert]");
  if (alert.textContent !== sentence) alert.textContent = sentence;
}

// How long an answer took, and which functions gave it
export function told(section, answer, line = ".told") {
  const links = answer.answered_by.flatMap(({name, link}) => {
    const a = document.createElement("a");
    [a.href, a.textContent] = [link, name];
    return [", ", a];
  });
  section.querySelector(line).replaceChildren(
    `computed in ${milliseconds(answer.seconds)}, ${milliseconds(answer.way)} with the way` +
    (links.length ? ", by " : ""), ...links.slice(1));
}

const milliseconds = seconds => `${(1000 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

// Writing

export const fixed = (x, digits) =>
  infinite(x) ?? x.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");
export const percent = x => infinite(x) ?? `${fixed(100 * x, 1)} %`;
export const nats = x => `${fixed(x, 3)} nats`;
export const degrees = x => `${fixed(x, 1)}°`;

export function scientific(x) {
  if (x === 0 || infinite(x)) return infinite(x) ?? "0";
  const [digits, power] = x.toExponential(2).split("e");
  const raised = [...power.replace("+", "")].map(c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("");
  return `${digits} × 10${raised}`;
}

const infinite = x => ({inf: "∞", "-inf": "−∞", nan: "undefined"})[x] ?? null;

export function show(section, name, text, zero = false) {
  const place = section.querySelector(`[data-show=${name}]`);
  place.textContent = text;
  place.classList.toggle("zero", zero);
}

export const button = (section, name) => section.querySelector(`[data-do=${name}]`);

// Drawing

export function draw(parent, kind, attributes = {}) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return parent.appendChild(node);
}

let rings = null;
export async function land(svg) {
  rings ??= ask("world", "land");
  const path = (await rings).rings.map(ring => "M" + ring.map(
    ([latitude, longitude]) => `${longitude},${-latitude}`).join("L") + "Z").join("");
  const drawn = draw(svg, "path", {class: "land", d: path, "fill-rule": "evenodd"});
  svg.prepend(drawn);
  return drawn;
}

// Two paths of a map: dots where `which` is true, crosses elsewhere
export function scatter(svg, size) {
  const dots = draw(svg, "path", {class: "dots"}), crosses = draw(svg, "path", {class: "crosses"});
  return (points, which) => {
    const cross = `m${-size},${-size}l${2 * size},${2 * size}` +
                  `m0,${-2 * size}l${-2 * size},${2 * size}`;
    const path = (chosen, mark) => points.filter((_, i) => which[i] === chosen).map(
      ([latitude, longitude]) => `M${longitude.toFixed(2)},${(-latitude).toFixed(2)}${mark}`);
    dots.setAttribute("d", path(true, "h0").join(""));
    crosses.setAttribute("d", path(false, cross).join(""));
  };
}

// A picture of numbers: color(value) gives [red, green, blue, alpha], each up to 255
export function picture(canvas, values, rows, columns, color, fromBelow = false) {
  [canvas.width, canvas.height] = [columns, rows];
  const image = new ImageData(columns, rows);
  values.forEach((value, i) => {
    const row = fromBelow ? rows - 1 - Math.floor(i / columns) : Math.floor(i / columns);
    image.data.set(color(value), 4 * (row * columns + i % columns));
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Handles

const KEYS = {ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0],
              PageUp: [10, 10], PageDown: [-10, -10]};

// A point (right, up) that is dragged or moved by keys. `to` gets where it is to go, `at` says
// where it is; `step` is how far an arrow key goes. What is read aloud, a number in `range` and a
// text, is given to its `update`.
export function handle(svg, {label, size, step, at, to, home, range = [0, 1], kind = ""}) {
  const group = draw(svg, "g", {
    class: `handle ${kind}`, tabindex: 0, role: "slider", "aria-label": label,
    "aria-valuemin": range[0], "aria-valuemax": range[1]});
  draw(group, "circle", {class: "reach", r: 3 * size});
  draw(group, "circle", {class: "seen", r: size});
  group.addEventListener("pointerdown", event => {
    group.setPointerCapture(event.pointerId);
    group.focus({focusVisible: false});
    event.preventDefault();
  });
  group.addEventListener("pointermove", event => {
    if (group.hasPointerCapture(event.pointerId)) to(...place(svg, event));
  });
  group.addEventListener("keydown", event => {
    if (event.key === "Home" && home) home();
    else if (event.key in KEYS && !event.altKey && !event.ctrlKey && !event.metaKey) {
      const length = step * (event.shiftKey ? 0.1 : 1), [x, y] = at();
      to(x + length * KEYS[event.key][0], y + length * KEYS[event.key][1]);
    } else return;
    event.preventDefault();
  });
  return {
    group,
    update(value, text) {
      const [x, y] = at();
      group.setAttribute("transform", `translate(${x},${-y})`);
      group.setAttribute("aria-valuenow", value);
      group.setAttribute("aria-valuetext", text);
    }};
}

// Where a pointer is, (right, up), in the units of the drawing
export function place(svg, event) {
  const here = new DOMPoint(event.clientX, event.clientY);
  const {x, y} = here.matrixTransform(svg.getScreenCTM().inverse());
  return [x, -y];
}

export const between = (least, x, most) => Math.min(Math.max(x, least), most);
export const tenth = x => Math.round(10 * x) / 10;
