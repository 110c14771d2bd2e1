// Alarms: one sentence each, how sure, since when, what made it so, and a button.

import { html } from "./html.js";
import { useEffect, useRef, useState } from "./vendor/preact-hooks.js";
import { alarms, beat, clockwork, stage } from "./plant.js";
import { acknowledge, feedback } from "./link.js";
import { address } from "./machine.js";
import { clock, lasting, moment, number, unit } from "./word.js";

/** @typedef {import("./plant.js").Alarm} Alarm */

export function Alarms() {
  const running = alarms.value.filter((a) => a.life !== "closed").sort(byWeight);
  const over = alarms.value.filter((a) => a.life === "closed").sort((a, b) => moment(b.closed) - moment(a.closed));
  const open = running.filter((a) => a.life === "open").length;
  return html`<section class="card" aria-labelledby="alarms"><div class="bar"><h2 id="alarms">Alarms</h2>
      ${running.length > 0 && html`<span class="chip ${open ? tone(running[0]) : "calm"}">${open ? `${open} open` : "all seen"}</span>`}</div>
    <${Crier} />
    ${running.length ? running.map((a) => html`<${Entry} key=${a.id} alarm=${a} />`) : html`<${Quiet} />`}
    ${over.length > 0 && html`<details class="over"><summary>Over (${over.length})</summary>
      ${over.map((a) => html`<div key=${a.id}><p><a href=${address({ id: a.device })}>${a.device}</a> ${a.sentence}
        <span class="quiet"> ${clock(moment(a.since))} to ${clock(moment(a.closed))}${times(a)}</span></p>
        ${judged(a) && html`<${Verdict} alarm=${a} />`}</div>`)}</details>`}
  </section>`;
}

function Quiet() {
  const words = {
    listening: "No alarms yet. Once readings arrive, their normal is learned first; alarms begin after that.",
    learning: "No alarms yet. What normal looks like is still being learned; alarms begin after that.",
    watching: "Nothing unusual. When a machine leaves its usual ways, it says so here, with the reasons.",
  };
  return html`<p class="quiet">${words[/** @type {"watching"} */ (stage.value.stage)]}</p>`;
}

/** @param {{alarm: Alarm}} props */
function Entry({ alarm }) {
  const [trouble, setTrouble] = useState("");
  const [asked, setAsked] = useState(false);
  const press = async () => {
    setAsked(true);
    setTrouble(await acknowledge(alarm.id));
    setAsked(false);
  };
  return html`<article class="alarm-entry ${tone(alarm)} ${alarm.life}">
    <p class="kind"><span class="chip ${tone(alarm)}">${kind(alarm)}</span>
      <a href=${address({ id: alarm.device })}>${alarm.device}</a>
      ${alarm.life === "acknowledged" || alarm.life === "seen" ? html`<span class="quiet">seen</span>` : ""}</p>
    <h3>${alarm.sentence}</h3>
    <${Facts} alarm=${alarm} />
    <${Reasons} alarm=${alarm} />
    ${alarm.life === "open" && html`<button onClick=${press} disabled=${asked}>Acknowledge<span class="sr"> ${alarm.device}</span></button>`}
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    ${judged(alarm) && html`<${Verdict} alarm=${alarm} />`}
  </article>`;
}

/**
 * Whether somebody can say what it was: an alarm, or a notice about a sensor.
 * @param {Alarm} alarm
 */
function judged(alarm) {
  return alarm.kind === "alarm" || alarm.kind === "quality";
}

/**
 * What somebody says of an alarm: what it was, what they call it, and whether for every machine.
 * @param {{alarm: Alarm}} props
 */
function Verdict({ alarm }) {
  const [verdict, setVerdict] = useState("");
  const [answer, setAnswer] = useState({ good: true, words: "" });
  const [asked, setAsked] = useState(false);
  const say = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const given = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
    setAsked(true);
    const said = await feedback(alarm.id, verdict, String(given.get("name") ?? ""), given.has("everywhere"));
    setAsked(false);
    setAnswer(said);
    if (said.good) setVerdict("");
  };
  const words = answer.words && html`<p class=${answer.good ? "quiet" : "trouble"} role="status">${answer.words}</p>`;
  if (!verdict) {
    return html`<p class="verdict"><button onClick=${() => setVerdict("not a fault")}>Not a fault<span class="sr">: ${alarm.device}</span></button>
      <button onClick=${() => setVerdict("fault")}>It was a fault<span class="sr">: ${alarm.device}</span></button></p>${words}`;
  }
  const silent = verdict === "not a fault";
  return html`<form class="verdict" onSubmit=${say}>
    <p>${silent ? "Its like will be silent from now on." : "Its like will be told sooner from now on."}</p>
    <label>Call it <input name="name" maxlength="120" placeholder=${silent ? "morning flush" : "valve blocked"} /></label>
    <label><input type="checkbox" name="everywhere" /> for every machine</label>
    <p><button disabled=${asked}>${asked ? "Learning" : silent ? "Not a fault" : "It was a fault"}</button>
      <button type="button" onClick=${() => setVerdict("")}>Cancel</button></p>${words}</form>`;
}

/** @param {{alarm: Alarm}} props */
function Facts({ alarm }) {
  const age = (beat.value, clockwork.now() - moment(alarm.since));
  const since = `since ${clock(moment(alarm.since))}${age >= 0 ? ` (${lasting(age)})` : ""}`;
  return html`<p class="quiet">score <b>${alarm.score?.toFixed(2) ?? "–"}</b>, alarm above 1.00${sure(alarm)} · ${since}${times(alarm)}</p>`;
}

/** @param {{alarm: Alarm}} props */
function Reasons({ alarm }) {
  return html`<ul class="reasons">${alarm.explanation.slice(0, 3).map((r) => html`<li key=${r.signal}>
      <span class="name">${r.signal}</span>
      <span class="bar-of"><i style=${{ width: `${Math.max(0, Math.min(r.share, 1)) * 100}%` }}></i></span>
      <b>${Math.round(r.share * 100)} %</b>
      <span class="quiet">${value(r)}</span></li>`)}</ul>`;
}

/** @param {import("./plant.js").Reason} reason */
function value({ value: now, low, high, unit: code, since }) {
  const is = now === null ? "no reading" : `${number(now)} ${unit(code)}`;
  const begun = since ? `, since ${clock(moment(since))}` : "";
  return low === null || high === null ? `${is}${begun}` : `${is}, usually ${number(low)} to ${number(high)}${begun}`;
}

/** What a screen reader is told: each new alarm once, in its own sentence. */
function Crier() {
  const [text, setText] = useState("");
  const told = useRef(/** @type {Set<string> | null} */ (null));
  const open = alarms.value.filter((a) => a.life === "open");
  useEffect(() => {
    const fresh = open.filter((a) => !told.current?.has(`${a.id} ${a.since}`));
    if (fresh.length && told.current) setText(fresh.map((a) => `${kind(a)} on ${a.device}: ${a.sentence}`).join(" "));
    told.current ??= new Set();
    for (const a of open) told.current.add(`${a.id} ${a.since}`);
  }, [alarms.value]);
  return html`<div class="sr" role="status" aria-live="assertive" aria-atomic="true">${text}</div>`;
}

/** @param {Alarm} alarm */
const tone = (alarm) => (alarm.life !== "open" ? "calm" : alarm.cause !== "process" || !alarm.alarm ? "notice" : "alarm");

/** @param {Alarm} alarm */
const kind = (alarm) => {
  if (alarm.cause === "sensor") return "sensor trouble";
  if (alarm.kind === "drift") return "what is usual has changed";
  if (!alarm.alarm) return "notice";
  return alarm.cause === "context" ? "way of running never seen" : "process alarm";
};

/** How sure the cause is. @param {Alarm} alarm */
const sure = ({ cause, confidence }) => (confidence > 0 ? ` · ${cause}, ${Math.round(confidence * 100)} % sure` : "");

/** @param {Alarm} alarm */
const times = (alarm) => (alarm.repeats > 1 ? ` · ${alarm.repeats} times since ${clock(moment(alarm.first))}` : "");

/**
 * Open before seen, process before sensor, the higher score first.
 * @param {Alarm} a
 * @param {Alarm} b
 */
const byWeight = (a, b) => rank(a) - rank(b) || moment(b.since) - moment(a.since);

/** @param {Alarm} a */
const rank = (a) => (a.life === "open" ? 0 : 2) + (a.cause !== "process" || !a.alarm ? 1 : 0);
