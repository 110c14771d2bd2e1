// Everything the page knows, and how messages change it.

import { batch, signal } from "./vendor/signals.js";
import { READINGS, decode } from "./frame.js";
import { Trace } from "./trace.js";
import { lasting, moment } from "./word.js";

/**
 * @typedef {{signal: string, share: number, value: number | null, low: number | null, high: number | null, unit: string,
 *   since: string | null}} Reason
 * @typedef {{id: number, kind: string, device: string, time: string, since: string, first: string, closed: string | null,
 *   score: number, alarm: boolean, cause: string, confidence: number, sentence: string, explanation: Reason[], life: string, repeats: number}} Alarm
 * @typedef {{name: string, unit: string, quantity: string, period_s: number}} SignalView
 * @typedef {{title: string, window_s: number, devices: {id: string, kind: string, place: string}[], signals: SignalView[]}} Plant
 * @typedef {{name: string, used: number, limit: number, unit: string, fits: boolean}} BudgetRow
 * @typedef {{bound: string, used: number | null, figures: string, about: string | null}} Limit
 * @typedef {{first: string | null, words: string, advice: string, enough: boolean, limits: Limit[]}} Headroom
 * @typedef {{name: string, digest: string, learned_from: string, target: string, promise: string, promised_per_day: number | null,
 *   budget: BudgetRow[], parity: {targets: string[], vectors: number, equal: boolean} | null,
 *   usual: {device: string, signal: string, low: number | null, high: number | null}[]}} Model
 * @typedef {{readings: number, scored: number, alarms: number, faults_injected: number | null, faults_found: number | null,
 *   false_alarms: number | null, false_alarms_promised: number | null, watched_device_days: number, p99_ms: number | null}} Counters
 */

/** @type {import("./vendor/signals.js").Signal<Plant | null>} */
export const plant = signal(/** @type {Plant | null} */ (null));
export const stage = signal({ stage: "listening", progress: 0, words: "" });
export const model = signal(/** @type {Model | null} */ (null));
export const headroom = signal(/** @type {Headroom | null} */ (null));
export const counters = signal(/** @type {Counters | null} */ (null));
export const alarms = signal(/** @type {Alarm[]} */ ([]));
export const machines = signal(/** @type {Machine[]} */ ([]));
/** How far back the reader looks, in milliseconds before the newest reading; null for now. */
export const lookingBack = signal(/** @type {number | null} */ (null));
/** Beats twice a second, for ages and states in words. */
export const beat = signal(0);
/** What an observer may want to count. */
export const seen = { frames: 0, drawn: 0 };

export class Machine {
  /**
   * @param {{id: string, kind: string, place: string}} device
   * @param {SignalView[]} signals
   */
  constructor(device, signals) {
    const periods = signals.map((s) => s.period_s).filter((p) => p > 0);
    this.id = device.id;
    this.about = [device.kind, device.place].filter(Boolean).join(" · ");
    this.signals = signals;
    this.fastest = periods.length ? Math.min(...periods) : 0;
    this.traces = signals.map((s) => new Trace(s.period_s * 1000));
    this.score = new Trace(0);
    this.lastTime = NaN;
    this.stride = 0;
    /** @type {({low: number, high: number} | null)[]} */
    this.usual = signals.map(() => null);
  }

  /**
   * @param {import("./frame.js").Block} block
   * @param {boolean} live false for the backlog
   */
  take(block, live) {
    const { rows, columns, origin, offset, values, first, replace } = block;
    const traces = block.content === READINGS ? this.traces : [this.score];
    for (let c = 0; c < columns; c++) {
      const trace = traces[first + c];
      if (!trace) continue;
      if (replace) trace.forget();
      const rare = block.content === READINGS && this.signals[first + c].period_s > 1.5 * this.fastest;
      for (let r = 0; r < rows; r++) {
        const value = values[c * rows + r];
        if (!(rare && Number.isNaN(value))) trace.push(origin + offset[r], value, live);
      }
      if (live) trace.guessPeriod();
    }
    if (block.content === READINGS && rows) this.#heard(origin + offset[rows - 1], live);
  }

  /**
   * How long a signal may be silent before it is called so: three periods, and never less than
   * its readings come apart on the way here.
   * @param {Trace} trace
   */
  patience(trace) {
    return Math.max(3 * trace.period, 2 * this.stride, 1000 * clockwork.speed);
  }

  /**
   * @param {number} time
   * @param {boolean} live
   */
  #heard(time, live) {
    if (live && time > this.lastTime) {
      const step = time - this.lastTime;
      const most = Math.max(10 * (this.traces[0]?.period || step), 1000 * clockwork.speed);
      this.stride = Math.max(0.9 * this.stride, Math.min(step, most));
    }
    if (!(time <= this.lastTime)) this.lastTime = time;
  }
}

/** The plant's own clock: it may run faster than ours when the plant is a simulation. */
export const clockwork = {
  /** Plant milliseconds in one of ours. */
  speed: 1,
  newest: NaN,
  heard: NaN,
  /** @type {{wall: number, plant: number}[]} */
  past: [],

  reset() {
    this.speed = 1;
    this.newest = this.heard = NaN;
    this.past = [];
  },

  /** Read the newest time off the machines, leaving out any whose clock runs a window ahead. */
  set() {
    const times = machines.value.map((m) => m.lastTime).filter((t) => !Number.isNaN(t)).sort((a, b) => a - b);
    if (!times.length) return;
    const limit = times[(times.length - 1) >> 1] + span();
    const newest = times.filter((t) => t <= limit).pop() ?? NaN;
    if (newest === this.newest) return;
    this.newest = newest;
    this.heard = performance.now();
    const last = this.past.at(-1);
    if (!last || this.heard - last.wall >= 1000) this.past.push({ wall: this.heard, plant: newest });
    if (this.past.length > 10) this.past.shift();
    const [from, to] = [this.past[0], this.past.at(-1)];
    if (to && to.wall - from.wall >= 2000) this.speed = Math.max((to.plant - from.plant) / (to.wall - from.wall), 1e-3);
  },

  /** What time it is in the plant; goes on when nothing arrives any more. */
  now() {
    const quiet = performance.now() - this.heard - 1000;
    return this.newest + Math.max(0, quiet || 0) * this.speed;
  },
};

/** The length of history on the page, in milliseconds. */
export const span = () => (plant.value?.window_s ?? 120) * 1000;

/** @type {Record<string, (said: any) => void>} */
const HEARD = {
  hello(said) {
    plant.value = said.plant;
    machines.value = said.plant.devices.map((/** @type {any} */ d) => new Machine(d, said.plant.signals));
    clockwork.reset();
    fresh = true;
    stage.value = said.plant.stage;
    alarms.value = said.events;
    counters.value = said.counters;
    headroom.value = said.headroom;
    HEARD.model(said);
  },
  stage: (said) => void (stage.value = said.stage),
  headroom: (said) => void (headroom.value = said.headroom),
  counters: (said) => void (counters.value = said.counters),
  event(said) {
    const others = alarms.value.filter((a) => a.id !== said.event.id);
    alarms.value = [...others, said.event];
  },
  model(said) {
    model.value = said.model;
    for (const machine of machines.value) machine.usual.fill(null);
    for (const { device, signal: name, low, high } of said.model?.usual ?? []) {
      const machine = machines.value.find((m) => m.id === device);
      const at = machine?.signals.findIndex((s) => s.name === name) ?? -1;
      if (machine && at >= 0 && low !== null && high !== null) machine.usual[at] = { low, high };
    }
  },
  error: (said) => console.warn(said.error?.sentence),
};

let fresh = true;

/** @param {string} text */
export function hear(text) {
  const said = JSON.parse(text);
  batch(() => HEARD[said.type]?.(said));
}

/** @param {ArrayBuffer} buffer */
export function take(buffer) {
  const { blocks } = decode(buffer);
  for (const block of blocks) machines.value[block.device]?.take(block, !fresh && !block.replace);
  clockwork.set();
  seen.frames++;
  if (fresh) beat.value++;
  fresh = false;
}

/**
 * The alarms of one machine that are not over.
 * @param {string} id
 */
export const openOf = (id) => alarms.value.filter((a) => a.device === id && a.life !== "closed");

/** @typedef {{tone: "good" | "notice" | "alarm" | "calm" | "silent", word: string}} State */

/**
 * How a machine is, in a word.
 * @param {Machine} machine
 * @returns {State}
 */
export function stateOf(machine) {
  const open = openOf(machine.id);
  const worst = open.find((a) => a.alarm && a.cause === "process") ?? open.find((a) => a.cause === "context") ?? open[0];
  const quiet = clockwork.now() - machine.lastTime;
  if (Number.isNaN(machine.lastTime)) return { tone: "calm", word: "no reading yet" };
  if (silent(machine)) return { tone: "notice", word: `silent for ${lasting(quiet / clockwork.speed)}` };
  if (worst?.cause === "sensor") return { tone: "notice", word: "sensor trouble" };
  if (worst?.cause === "context") return { tone: "notice", word: worst.kind === "drift" ? "usual has changed" : "new way of running" };
  if (worst) return { tone: "alarm", word: "alarm" };
  if (stage.value.stage !== "watching") return { tone: "calm", word: stage.value.stage };
  return { tone: "good", word: "normal" };
}

/**
 * Whether a machine has said nothing for longer than it should.
 * @param {Machine} machine
 */
export const silent = (machine) => machine.traces.length > 0 && clockwork.now() - machine.lastTime > machine.patience(machine.traces[0]);

/**
 * How one signal of a machine is: null when there is nothing to say.
 * @param {Machine} machine
 * @param {number} at
 * @returns {State | null}
 */
export function stateOfSignal(machine, at) {
  const trace = machine.traces[at];
  const quiet = clockwork.now() - trace.lastTime;
  if (silent(machine)) return { tone: "silent", word: "" };
  if (quiet > machine.patience(trace)) return { tone: "notice", word: `no reading for ${lasting(quiet / clockwork.speed)}` };
  const name = machine.signals[at].name;
  for (const alarm of openOf(machine.id)) {
    const part = alarm.explanation.findIndex((r) => r.signal === name);
    if (part < 0 || (part > 0 && alarm.explanation[part].share < 0.2)) continue;
    if (alarm.cause === "sensor") return { tone: "notice", word: "sensor in doubt" };
    if (alarm.cause === "context") return { tone: "notice", word: place(machine.usual[at], trace.lastValue, "part of it") };
    return { tone: "alarm", word: place(machine.usual[at], trace.lastValue) };
  }
  return null;
}

/**
 * @param {{low: number, high: number} | null} usual
 * @param {number} value
 * @param {string} otherwise
 */
function place(usual, value, otherwise = "part of the alarm") {
  if (usual && value < usual.low) return "below usual";
  if (usual && value > usual.high) return "above usual";
  return otherwise;
}

/**
 * Where an alarm began and ended on the plant's clock.
 * @param {Alarm} alarm
 */
export const stretchOf = (alarm) => ({ from: moment(alarm.since), to: alarm.closed ? moment(alarm.closed) : Infinity });
