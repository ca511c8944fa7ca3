// What the pages do: search, light together, unfold tests, dark and light, keys.
"use strict";

const base = document.body.dataset.base;
const all = (what, where = document) => [...where.querySelectorAll(what)];
const byId = (id) => document.getElementById(id);

// A formula, its chip and its lines light up together
function numbersOf(element) {
  return element.dataset.formula.split(" ");
}

function light(numbers, on) {
  for (const element of all("[data-formula]")) {
    if (numbersOf(element).some((number) => numbers.includes(number))) {
      element.classList.toggle("lit", on);
    }
  }
}

for (const element of all("[data-formula]")) {
  const numbers = numbersOf(element);
  for (const event of ["mouseenter", "focusin"]) {
    element.addEventListener(event, () => light(numbers, true));
  }
  for (const event of ["mouseleave", "focusout"]) {
    element.addEventListener(event, () => light(numbers, false));
  }
}

// A test below a definition unfolds to its code, which stands at the end of the page
for (const list of all(".tests")) {
  list.addEventListener("toggle", () => {
    for (const link of all('li > a[href^="#test_"]', list)) {
      const code = byId(link.hash.slice(1)).querySelector("pre");
      const test = document.createElement("details"), summary = document.createElement("summary");
      test.className = "test";
      summary.textContent = link.textContent;
      test.append(summary, code.cloneNode(true));
      link.replaceWith(test);
    }
  }, { once: true });
}

// What an address names is unfolded
function unfold() {
  const place = byId(decodeURIComponent(location.hash.slice(1)));
  for (let part = place; part; part = part.parentElement) {
    if (part.tagName === "DETAILS") part.open = true;
  }
  place?.scrollIntoView();
}
addEventListener("hashchange", unfold);
if (location.hash) unfold();
addEventListener("beforeprint", () => all(".words").forEach((part) => { part.open = true; }));

// Dark and light
function isDark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function turnTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("theme", theme); } catch { /* a page from a disk may keep nothing */ }
}
byId("theme").addEventListener("click", turnTheme);

// Contents on a narrow screen
const contents = byId("contents"), menu = byId("menu");

function openContents(open) {
  contents.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", open);
}
menu.addEventListener("click", () => openContents(!contents.classList.contains("open")));
document.querySelector("main").addEventListener("click", () => openContents(false));
const here = contents.querySelector(".here");
if (here) contents.scrollTop = here.offsetTop - contents.clientHeight / 2;

// Search
const search = byId("search"), found = byId("found");
const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
const SHOWN = 40;
let loading = null;

function load() {                               // a page from a disk may load a script, not data
  loading ??= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = `${base}assets/index.js`;
    script.onload = () => done(window.BOOK.map(([kind, title, below, url]) => ({
      kind, title, below, url, plainTitle: plain(title), text: plain(`${title} ${below}`) })));
    script.onerror = fail;
    document.head.append(script);
  });
  return loading;
}

// The entries that have all words, best first: 0 the title itself, 1 whole words of a module's
// line, 2 the title begins so, 3 whole words, 4 beginnings of words, 5 anything
function hits(entries, text) {
  const question = plain(text).trim(), words = question.split(/\s+/).filter(Boolean);
  const patterns = (end) => words.map((word) => new RegExp(
    `(?<![\\p{L}\\d])${word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}${end}`, "u"));
  const whole = patterns("(?![\\p{L}\\d])"), begins = patterns("");
  const all = (text, tests) => tests.every((test) => test.test(text));
  const rank = (entry) => (entry.plainTitle === question ? 0
    : entry.kind === "module" && all(entry.text, whole) ? 1
      : entry.plainTitle.startsWith(question) ? 2
        : all(entry.text, whole) ? 3 : all(entry.text, begins) ? 4 : 5);
  return words.length === 0 ? [] : entries
    .filter((entry) => words.every((word) => entry.text.includes(word)))
    .map((entry, i) => [rank(entry), i, entry])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map(([, , entry]) => entry);
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function show(entries, question) {
  const best = hits(entries, question);
  found.replaceChildren(...best.slice(0, SHOWN).map(({ kind, title, below, url }) => {
    const item = document.createElement("li"), link = document.createElement("a");
    link.href = base + url;
    link.append(element("span", kind, "kind"), title, element("small", below));
    item.append(link);
    return item;
  }));
  if (best.length === 0) found.append(element("li", `Nothing has all of: ${question.trim()}`, "none"));
  if (best.length > SHOWN) found.append(element("li", `and ${best.length - SHOWN} more`, "none"));
  found.hidden = question.trim() === "";
  found.dataset.question = question;
}

search.addEventListener("focus", () => load().catch(() => {}));
search.addEventListener("input", () => {
  const question = search.value;
  load().then((entries) => question === search.value && show(entries, question),
    () => { found.textContent = "The index of this book is missing."; found.hidden = false; });
});

// Keys
addEventListener("keydown", (event) => {
  const links = all("a", found), at = links.indexOf(document.activeElement);
  if (event.key === "Escape") {
    search.value = "";
    search.blur();
    found.hidden = true;
    openContents(false);
  } else if ((document.activeElement === search || at >= 0) && ["ArrowDown", "ArrowUp"].includes(event.key)) {
    const next = at + (event.key === "ArrowDown" ? 1 : -1);
    (links[next] ?? search).focus();
    event.preventDefault();
  } else if (event.key === "Enter" && document.activeElement === search) {
    links[0]?.click();
  }
  const typing = event.target.closest?.("input, textarea, select");
  const scrolls = event.target.closest?.("pre, .formulas, .table");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    openContents(true);
    search.focus();
    event.preventDefault();
  } else if (event.key === "d") {
    turnTheme();
  } else if (!scrolls && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
    document.querySelector(`.turn [rel=${event.key === "ArrowLeft" ? "prev" : "next"}]`)?.click();
  }
});
