// From noise to land

import {ask, button, fixed, land, latest, percent, scatter, show, told} from "./common.js";

export async function start(section) {
  const svg = section.querySelector("svg"), slider = section.querySelector("input");
  const play = button(section, "play");
  section.querySelector(".told").textContent = "The chains are being computed, once.";
  await land(svg);
  const marks = scatter(svg, 1), scene = await ask("noise", "scene");
  let playing = false;
  told(section, scene);
  show(section, "chains", scene.chains.toLocaleString("en"));

  const answer = latest(section, "noise", "answer", ({points, land, level, sigma, on_land}) => {
    marks(points, land);
    show(section, "level", `${level}`);
    show(section, "sigma", fixed(sigma, 2));
    show(section, "on_land", percent(on_land));
    slider.setAttribute("aria-valuetext", `level ${level}, ${percent(on_land)} on land`);
    svg.setAttribute("aria-label",
                     `${points.length} points at level ${level}, ${percent(on_land)} on land`);
    if (playing) requestAnimationFrame(() => { if (playing) go(Number(slider.value) + 1); });
  });

  function go(step) {
    slider.value = step;
    if (step >= scene.levels) stop();
    answer({step: Number(slider.value)});
  }
  function stop() { playing = false; play.textContent = "▶ Denoise"; }

  slider.addEventListener("input", () => { stop(); answer({step: Number(slider.value)}); });
  play.addEventListener("click", () => {
    if (playing) { stop(); return; }
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { go(scene.levels); return; }
    playing = true;
    play.textContent = "❚❚ Pause";
    go(Number(slider.value) < scene.levels ? Number(slider.value) : 0);
  });
  slider.max = scene.levels;
  slider.disabled = play.disabled = false;
  answer({step: 0});
}
