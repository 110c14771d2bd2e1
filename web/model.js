// The model's card: what it costs, that it is the same everywhere, and whether it keeps its promise.

import { html } from "./html.js";
import { counters, model } from "./plant.js";
import { budget, many } from "./word.js";

export function ModelCard() {
  const card = model.value;
  if (!card) {
    return html`<section class="card" aria-labelledby="model"><h2 id="model">Model</h2>
      <p class="quiet">Not learned yet. Its size, its proof and its promise appear here as soon as it is.</p></section>`;
  }
  const fits = card.budget.every((row) => row.fits);
  return html`<section class="card model" aria-labelledby="model"><div class="bar"><h2 id="model">Model ${card.name}</h2>
      ${card.budget.length > 0 && html`<span class="chip ${fits ? "good" : "alarm"}">${fits ? "fits" : "does not fit"}${card.target && ` ${card.target}`}</span>`}</div>
    <p class="quiet">Learned from ${card.learned_from} · <span class="mono" title=${card.digest}>${card.digest.slice(0, 12)}</span></p>
    <ul class="budget">${card.budget.map((row) => html`<${Row} key=${row.name} row=${row} />`)}</ul>
    <${Proof} parity=${card.parity} /><${Promise} card=${card} />
  </section>`;
}

/** @param {{row: import("./plant.js").BudgetRow}} props */
function Row({ row }) {
  const share = row.limit > 0 ? row.used / row.limit : 1;
  return html`<li class=${row.fits ? "good" : "alarm"}><span class="name">${row.name}</span>
    <span class="bar-of"><i style=${{ width: `${Math.min(Math.max(share, 0.01), 1) * 100}%` }}></i></span>
    <span class="figure">${budget(row.used, row.limit, row.unit)}${row.fits ? "" : ": too much"}</span></li>`;
}

/** @param {{parity: {targets: string[], vectors: number, equal: boolean} | null}} props */
function Proof({ parity }) {
  if (!parity) return html`<p><span class="chip calm">not proved yet</span></p>`;
  const where = parity.targets.join(", ");
  return html`<p class="proof"><span class="chip ${parity.equal ? "good" : "alarm"}">${parity.equal ? "same bits everywhere" : "targets differ"}</span>
    <span class="quiet">${many(parity.vectors, "golden vector")} on ${where}</span></p>`;
}

/** @param {{card: import("./plant.js").Model}} props */
function Promise({ card }) {
  const counted = counters.value;
  if (!card.promise || !counted) return null;
  const hours = counted.watched_device_days * 24;
  const watched = `${hours < 10 ? hours.toFixed(1) : Math.round(hours)} machine-hours`;
  const allowed = counted.false_alarms_promised;
  const judged = counted.false_alarms === null ? "nobody has judged the alarms yet" : `${counted.false_alarms} in ${watched}`;
  return html`<h3>False alarms</h3><dl><dt>Promised</dt><dd>${card.promise}</dd><dt>Delivered</dt><dd>${judged}</dd>
    ${allowed !== null && html`<dt>Allowed</dt><dd>${allowed < 0.01 ? "under 0.01" : allowed.toFixed(2)} by now</dd>`}</dl>`;
}
