// The page: what stands where, and which part of it is shown.

import { signal } from "./vendor/signals.js";
import { Alarms } from "./alarm.js";
import { readInks } from "./chart.js";
import { HeadroomCard } from "./headroom.js";
import { html } from "./html.js";
import { link } from "./link.js";
import { Machines, Opened } from "./machine.js";
import { ModelCard } from "./model.js";
import { beat, clockwork, counters, machines, plant, stage } from "./plant.js";
import { count, many } from "./word.js";

/** Which machine is opened, by its id; empty for all of them. */
export const opened = signal("");

export function Page() {
  return html`<a class="skip" href="#main">Skip to the charts</a><${Top} />
    <div class="page ${opened.value && "opened"}"><${Stage} />
      <main id="main" tabindex="-1">${opened.value ? html`<${Opened} key=${opened.value} id=${opened.value} />` : html`<${Machines} />`}</main>
      <aside aria-label="Alarms, model and server"><${Alarms} /><${ModelCard} /><${HeadroomCard} /></aside></div>`;
}

function Top() {
  return html`<header class="top-bar"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M6 26C8 14 15 7 26 6" /><path d="M11 28c2-10 7-15 16-17" /></svg>
    <h1>${plant.value?.title || "bimetal"}</h1><${Connection} /><${Theme} /></header>`;
}

function Connection() {
  const quiet = (beat.value, (performance.now() - clockwork.heard) / 1000);
  if (link.value === "old") return html`<span class="chip notice">this page is older than the program</span><button onClick=${() => location.reload()}>Reload</button>`;
  if (link.value === "lost") return html`<span class="chip alarm" role="status">connection lost, trying again</span>`;
  if (link.value === "opening") return html`<span class="chip calm">connecting</span>`;
  if (quiet > 5) return html`<span class="chip notice" role="status">no readings for ${Math.round(quiet)} s</span>`;
  return html`<span class="chip good">${Number.isNaN(quiet) ? "connected" : "live"}</span>`;
}

const theme = signal(document.documentElement.dataset.theme ?? "auto");

function Theme() {
  const next = { auto: "light", light: "dark", dark: "auto" }[theme.value] ?? "auto";
  const choose = () => {
    theme.value = next;
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("bimetal-theme", next);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
    readInks();
  };
  return html`<button class="theme" onClick=${choose} aria-label=${`Theme: ${theme.value}. Change to ${next}`}><span aria-hidden="true">◐</span> ${{ auto: "Auto", light: "Light", dark: "Dark" }[theme.value]}</button>`;
}

function Stage() {
  const { stage: now, progress, words } = stage.value;
  if (now === "watching") return html`<${Watching} words=${words} />`;
  const learning = now === "learning";
  const title = learning ? `Learning what normal looks like: ${Math.round(progress * 100)} %` : "Listening for machines";
  const next = learning ? "Alarms begin once normal is known." : "The first reading draws the first chart.";
  return html`<section class="card stage" aria-labelledby="stage"><h2 id="stage">${title}</h2><p class="quiet">${words || next}</p>
    ${learning && html`<div class="progress" role="progressbar" aria-labelledby="stage" aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(progress * 100)}><i style=${{ width: `${progress * 100}%` }}></i></div>`}</section>`;
}

/** @param {{words: string}} props */
function Watching({ words }) {
  const counted = counters.value;
  const facts = counted ? [`${count(counted.readings)} readings`, `${count(counted.scored)} rows scored`] : [];
  if (counted?.faults_injected) facts.push(`${counted.faults_found ?? 0} of ${many(counted.faults_injected, "fault")} found`);
  if (counted?.p99_ms) facts.push(`${counted.p99_ms.toFixed(1)} ms reading to answer`);
  return html`<section class="stage watching" aria-labelledby="stage"><h2 id="stage">Watching ${many(machines.value.length, "machine")}</h2>
    <p class="quiet">${[words, ...facts].filter(Boolean).join(" · ")}</p></section>`;
}
