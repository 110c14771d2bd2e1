// Machines: a card of small charts for each, and one machine opened to large ones.

import { html } from "./html.js";
import { useEffect, useRef } from "./vendor/preact-hooks.js";
import { useComputed } from "./vendor/signals.js";
import { Chart, redraw, tick, timeStep } from "./chart.js";
import { alarms, beat, clockwork, lookingBack, machines, model, openOf, plant, span, stage, stateOf, stateOfSignal, stretchOf } from "./plant.js";
import { wish } from "./link.js";
import { clock, lasting, many, number, unit } from "./word.js";

/** @typedef {import("./plant.js").Machine} Machine */

/** All machines, or what to expect while there is none. */
export function Machines() {
  const count = machines.value.length * (plant.value?.signals.length ?? 0);
  if (!count) {
    return html`<section class="card empty"><h2>No machine yet</h2>
      <p>Every machine gets a row here, with a chart for each of its signals.</p></section>`;
  }
  return html`<section aria-labelledby="live">
    <div class="bar"><h2 id="live" class="sr">Live</h2>
      <span class="quiet">${many(count, "signal")} · last ${lasting(span())} · a line every ${lasting(timeStep(span()))}${model.value?.usual.length ? " · band: usual range" : ""}</span>
      <${LookBack} /></div>
    ${machines.value.map((m) => html`<${Card} key=${m.id} machine=${m} />`)}
  </section>`;
}

/** The time the reader looks at, for keyboard and touch as well as for the pointer. */
function LookBack() {
  const back = lookingBack.value;
  const said = useComputed(() => (tick.value, lookingBack.value === null ? "now" : clock(clockwork.newest - lookingBack.value, span())));
  const look = (/** @type {any} */ event) => {
    lookingBack.value = Number(event.target.value) >= 0 ? null : -Number(event.target.value) * span();
    redraw();
  };
  return html`<label class="look"><span class="quiet">Look back</span>
    <input type="range" min="-1" max="0" step="0.01" value=${back === null ? 0 : -back / span()} onInput=${look}
      aria-valuetext=${back === null ? "now" : `${lasting(back)} ago`} />
    <b aria-hidden="true">${said}</b></label>`;
}

/** @param {{machine: Machine}} props */
function Card({ machine }) {
  const state = useComputed(() => (beat.value, alarms.value, stage.value, said(stateOf(machine))));
  const [tone, word] = state.value.split("|");
  return html`<article class="card machine ${tone}" aria-label=${machine.id}>
    <header><h3><a href=${address(machine)}>${machine.id}</a></h3><span class="chip ${tone}">${word}</span>
      ${machine.about && html`<span class="quiet about">${machine.about}</span>`}<${Score} machine=${machine} /></header>
    <div class="tiles">${machine.signals.map((_, i) => html`<${Tile} key=${i} machine=${machine} at=${i} />`)}</div>
  </article>`;
}

/** @param {{machine: Machine}} props */
function Score({ machine }) {
  const score = useComputed(() => (tick.value, lookedAt(machine.score)));
  const known = !Number.isNaN(score.value);
  const bar = useComputed(() => `${Math.min(score.value || 0, 2) * 50}%`);
  if (!known) return null;
  return html`<span class="score" title="1.00 is where the alarm begins">
    <span class="quiet">score</span> <b>${score.value.toFixed(2)}</b>
    <span class="meter ${score.value >= 1 ? "alarm" : ""}"><i style=${{ width: bar.value }}></i></span></span>`;
}

/** @param {{machine: Machine, at: number}} props */
function Tile({ machine, at }) {
  const { name, unit: code } = machine.signals[at];
  const state = useComputed(() => (beat.value, alarms.value, said(stateOfSignal(machine, at))));
  const [tone, word] = state.value.split("|");
  const place = usePlot(() => ({
    trace: machine.traces[at],
    usual: () => machine.usual[at],
    tone: () => state.peek().split("|")[0],
    marked: () => (state.peek().includes("|") && !state.peek().startsWith("silent") ? openOf(machine.id).map(stretchOf) : []),
  }));
  return html`<div class="tile ${tone} ${word ? "worded" : ""}">
    <div class="top"><span class="name" title=${name}>${name}</span><${Figure} trace=${machine.traces[at]} code=${code} /></div>
    ${word && html`<p class="word">${word}</p>`}
    <div class="plot" ref=${place} role="img" aria-label=${`${name} of ${machine.id}, last ${lasting(span())}`}></div>
  </div>`;
}

/** @param {{trace: import("./trace.js").Trace, code: string}} props */
function Figure({ trace, code }) {
  const text = useComputed(() => (tick.value, number(lookedAt(trace))));
  return html`<span class="figure"><b>${text}</b> <span class="quiet">${unit(code)}</span></span>`;
}

/** @param {{id: string}} props */
export function Opened({ id }) {
  const machine = machines.value.find((m) => m.id === id);
  const back = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    back.current?.focus();
    if (machine) wish(id, Math.min(Math.round(innerWidth * devicePixelRatio), 1600));
  }, [machine]);
  if (!machine) {
    return html`<section class="card empty"><h2>No machine is called ${id}</h2><p><a class="button" href="#/">Show all machines</a></p></section>`;
  }
  return html`<section aria-labelledby="opened"><div class="bar">
      <a class="button" href="#/" ref=${back}>← All machines</a><h2 id="opened">${id}</h2><${Status} machine=${machine} />
      ${machine.about && html`<span class="quiet">${machine.about}</span>`}<${LookBack} /></div>
    <div class="card large"><${LargeScore} machine=${machine} />
      ${machine.signals.map((_, i) => html`<${Large} key=${i} machine=${machine} at=${i} last=${i === machine.signals.length - 1} />`)}
    </div></section>`;
}

/** @param {{machine: Machine}} props */
function Status({ machine }) {
  const state = useComputed(() => (beat.value, alarms.value, stage.value, said(stateOf(machine))));
  const [tone, word] = state.value.split("|");
  return html`<span class="chip ${tone}">${word}</span>`;
}

/** @param {{machine: Machine}} props */
function LargeScore({ machine }) {
  const tone = () => (machine.score.lastValue >= 1 ? "alarm" : "");
  const place = usePlot(() => ({ trace: machine.score, threshold: 1, axes: true, tone, marked: () => openOf(machine.id).map(stretchOf) }));
  const heard = useComputed(() => (tick.value, machine.score.written > 0));
  return html`<div class="row"><div class="top"><span class="name">score</span>
      <${Figure} trace=${machine.score} code="" /><span class="quiet">${heard.value ? "alarm above 1.00, the dashed line" : "comes once normal is learned"}</span></div>
    <div class="plot" ref=${place} role="img" aria-label=${`score of ${machine.id} against the alarm threshold`}></div></div>`;
}

/** @param {{machine: Machine, at: number, last: boolean}} props */
function Large({ machine, at, last }) {
  const { name, unit: code } = machine.signals[at];
  const state = useComputed(() => (beat.value, alarms.value, said(stateOfSignal(machine, at))));
  const [tone, word] = state.value.split("|");
  const usual = model.value && machine.usual[at];
  const place = usePlot(() => ({
    trace: machine.traces[at],
    usual: () => machine.usual[at],
    tone: () => state.peek().split("|")[0],
    marked: () => (state.peek().includes("|") && !state.peek().startsWith("silent") ? openOf(machine.id).map(stretchOf) : []),
    axes: true,
    clock: last,
  }));
  return html`<div class="row ${tone} ${last ? "last" : ""}"><div class="top"><span class="name">${name}</span>
      <${Figure} trace=${machine.traces[at]} code=${code} />
      <span class="quiet">${usual ? `usually ${number(usual.low)} to ${number(usual.high)} ${unit(code)}` : ""}</span>
      ${word && html`<span class="word">${word}</span>`}</div>
    <div class="plot" ref=${place} role="img" aria-label=${`${name} of ${machine.id}, last ${lasting(span())}`}></div></div>`;
}

/** @param {{id: string}} machine */
export const address = (machine) => `#/machine/${encodeURIComponent(machine.id)}`;

/** @param {() => import("./chart.js").Subject} subject */
function usePlot(subject) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (!place.current) return undefined;
    const chart = new Chart(place.current, subject());
    return () => chart.close();
  }, []);
  return place;
}

/** @param {import("./trace.js").Trace} trace */
function lookedAt(trace) {
  const back = lookingBack.value;
  return back === null ? trace.lastValue : trace.at(clockwork.newest - back);
}

/** @param {import("./plant.js").State | null} state */
const said = (state) => (state ? `${state.tone}|${state.word}` : "");
