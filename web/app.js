// Where the page begins: draw it, open the link, keep time.

import { h, render } from "./vendor/preact.js";
import { effect } from "./vendor/signals.js";
import { readInks, redraw } from "./chart.js";
import { open } from "./link.js";
import { alarms, beat, plant, seen } from "./plant.js";
import { Page, opened } from "./view.js";

function route() {
  const found = /^#\/machine\/(.+)$/.exec(location.hash);
  try {
    opened.value = found ? decodeURIComponent(found[1]) : "";
  } catch {
    opened.value = "";
  }
}

addEventListener("hashchange", route);
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && opened.value) location.hash = "#/";
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readInks);
document.addEventListener("visibilitychange", redraw);

setInterval(() => beat.value++, 500);
effect(() => {
  const open = alarms.value.filter((a) => a.life === "open").length;
  document.title = (open ? `(${open}) ` : "") + (plant.value?.title || "bimetal");
});

route();
const place = document.getElementById("app");
if (place) {
  place.replaceChildren();
  render(h(Page, {}), place);
}
readInks();
open();

/** How many frames came and how many pictures were drawn, for whoever wants to measure. */
Object.defineProperty(globalThis, "bimetal", { value: seen });
