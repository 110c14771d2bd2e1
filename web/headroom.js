// Headroom: how far the server is from its limits, which comes first, and what to change.

import { html } from "./html.js";
import { headroom } from "./plant.js";
import { day, moment } from "./word.js";

export function HeadroomCard() {
  const found = headroom.value;
  if (!found) return null;
  const near = found.first !== null;
  const chip = !found.enough ? ["calm", "still measuring"] : near ? ["notice", `${found.first} first`] : ["good", "no limit in sight"];
  return html`<section class="card headroom" aria-labelledby="headroom"><div class="bar"><h2 id="headroom">Headroom</h2>
      <span class="chip ${chip[0]}">${chip[1]}</span></div>
    <p>${found.words}</p>${near && html`<p class="quiet">${found.advice}</p>`}
    <ul class="budget">${found.limits.map((limit) => html`<${Row} key=${limit.bound} limit=${limit} />`)}</ul></section>`;
}

/** @param {{limit: import("./plant.js").Limit}} props */
function Row({ limit }) {
  const used = limit.used ?? 1;
  const when = limit.about === null ? "" : `, full about ${day(moment(limit.about))}`;
  return html`<li class=${used < 0.8 ? "good" : "alarm"}><span class="name">${limit.bound}</span>
    <span class="bar-of"><i style=${{ width: `${Math.min(Math.max(used, 0.01), 1) * 100}%` }}></i></span>
    <span class="figure">${limit.figures}${when}</span></li>`;
}
