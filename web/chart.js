// Charts on one time axis: uPlot draws the line, this file the band, the gaps and the marks.

import uPlot from "./vendor/uplot.js";
import { signal } from "./vendor/signals.js";
import { clockwork, lookingBack, seen, span } from "./plant.js";
import { clock } from "./word.js";

/** Beats four times a second while readings arrive: the pace at which figures change. */
export const tick = signal(0);

const INKS = ["line", "alarm", "notice", "quiet", "grid", "text", "band", "card"];
/** @type {Record<string, string>} */
const ink = {};
const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** @type {Map<Element, Chart>} */
const charts = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const chart = charts.get(target);
    if (chart) chart.visible = isIntersecting;
  }
  redraw();
});
const sizer = new ResizeObserver((entries) => {
  for (const { target } of entries) charts.get(target)?.fit();
  redraw();
});
let waiting = false;
let lastDrawn = 0;
let lastTick = 0;

/** Draw what is on screen at the next chance; a reader who wants less motion gets two pictures a second. */
export function redraw() {
  if (waiting) return;
  waiting = true;
  const pause = calm.matches ? Math.max(0, lastDrawn + 500 - performance.now()) : 0;
  setTimeout(() => requestAnimationFrame(drawAll), pause);
}

function drawAll() {
  waiting = false;
  lastDrawn = performance.now();
  if (!Number.isNaN(clockwork.newest)) {
    const shown = [...charts.values()].filter((chart) => chart.visible);
    for (const chart of shown) chart.draw(clockwork.newest);
    if (shown.length) seen.drawn++;
  }
  if (lastDrawn - lastTick >= 250 || lookingBack.peek() !== null) {
    lastTick = lastDrawn;
    tick.value++;
  }
}

/** A canvas cannot read light-dark(): ask an element what each colour is now. */
export function readInks() {
  const probe = document.body.appendChild(document.createElement("i"));
  for (const name of INKS) {
    probe.style.color = `var(--${name})`;
    ink[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  redraw();
}

/**
 * What a chart shows; everything but the trace is asked for anew at each picture.
 * @typedef {{trace: import("./trace.js").Trace, usual?: () => {low: number, high: number} | null,
 *   tone?: () => string | undefined, marked?: () => {from: number, to: number}[], threshold?: number,
 *   axes?: boolean, clock?: boolean}} Subject
 */

export class Chart {
  /**
   * @param {HTMLElement} place
   * @param {Subject} subject
   */
  constructor(place, subject) {
    this.place = place;
    this.subject = subject;
    this.visible = false;
    this.low = this.high = NaN;
    this.plot = new uPlot(this.#options(), [[], []], place);
    charts.set(place, this);
    watcher.observe(place);
    sizer.observe(place);
    place.addEventListener("pointermove", this);
    place.addEventListener("pointerdown", this);
    place.addEventListener("pointerleave", this);
  }

  close() {
    charts.delete(this.place);
    watcher.unobserve(this.place);
    sizer.unobserve(this.place);
    this.plot.destroy();
  }

  fit() {
    this.plot.setSize({ width: this.place.clientWidth, height: this.place.clientHeight });
  }

  /** @param {PointerEvent} event */
  handleEvent(event) {
    const { left, width } = this.plot.over.getBoundingClientRect();
    const share = (event.clientX - left) / width;
    const inside = event.type !== "pointerleave" && share >= 0 && share <= 1;
    lookingBack.value = inside ? (1 - share) * span() : null;
    redraw();
  }

  /** @param {number} now */
  draw(now) {
    const view = this.subject.trace.view();
    this.#range(view, now - span());
    this.plot.batch(() => {
      this.plot.setData(view, false);
      this.plot.setScale("x", { min: now - span(), max: now });
      this.plot.setScale("y", { min: this.low, max: this.high });
    });
  }

  /**
   * Grow at once to hold everything, shrink slowly so that the eye keeps its place.
   * @param {[Float64Array, Float32Array]} view
   * @param {number} from
   */
  #range([times, values], from) {
    const { usual, threshold } = this.subject;
    const band = usual?.();
    let low = band ? band.low : threshold === undefined ? Infinity : 0;
    let high = band ? band.high : threshold === undefined ? -Infinity : threshold * 1.25;
    for (let i = times.length - 1; i >= 0 && times[i] >= from; i--) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
    if (low > high) [low, high] = [0, 1];
    const room = 0.12 * (high - low) || Math.abs(high) * 0.01 || 1;
    low = threshold === undefined ? low - room : 0;
    high += room;
    this.low = low < this.low || Number.isNaN(this.low) ? low : this.low + 0.08 * (low - this.low);
    this.high = high > this.high || Number.isNaN(this.high) ? high : this.high + 0.08 * (high - this.high);
  }

  /** @returns {Record<string, any>} */
  #options() {
    const { axes, clock: withClock } = this.subject;
    const still = (/** @type {any} */ _plot, /** @type {number} */ min, /** @type {number} */ max) => [min, max];
    return {
      width: this.place.clientWidth || 160,
      height: this.place.clientHeight || 52,
      ms: 1,
      padding: axes ? [6, 28, withClock ? 0 : 4, 0] : [3, 1, 3, 1],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, auto: false, range: still }, y: { auto: false, range: still } },
      axes: axes ? [clockAxis(Boolean(withClock)), valueAxis()] : [{ show: false }, { show: false }],
      series: [{}, { width: 1, cap: "round", stroke: () => this.#stroke(), paths: path, points: { show: false } }],
      hooks: { drawClear: [() => this.#behind()], draw: [() => this.#before()] },
    };
  }

  #tone() {
    const tone = this.subject.tone?.();
    return tone === "alarm" || tone === "notice" ? tone : "line";
  }

  /** The line's colour: that of the alarm only where the alarm is. */
  #stroke() {
    const { ctx, bbox } = this.plot;
    const { threshold } = this.subject;
    const marked = this.subject.marked?.() ?? [];
    const upright = threshold !== undefined;
    if (!bbox.width || !bbox.height || !(upright || marked.length)) return ink.line;
    const along = upright ? [0, bbox.top, 0, bbox.top + bbox.height] : [bbox.left, 0, bbox.left + bbox.width, 0];
    const colours = ctx.createLinearGradient(along[0], along[1], along[2], along[3]);
    const turn = (/** @type {number} */ at, /** @type {string} */ colour) => colours.addColorStop(Math.min(Math.max(at, 0), 1), colour);
    if (upright) {
      const at = (this.#y(threshold) - bbox.top) / bbox.height;
      for (const [where, colour] of /** @type {const} */ ([[0, "alarm"], [at, "alarm"], [at, "line"], [1, "line"]])) turn(where, ink[colour]);
      return colours;
    }
    turn(0, ink.line);
    for (const { from, to } of marked) {
      const [start, end] = [from, to].map((t) => (this.#x(t) - bbox.left) / bbox.width);
      for (const [where, colour] of /** @type {const} */ ([[start, "line"], [start, this.#tone()], [end, this.#tone()], [end, "line"]])) turn(where, ink[colour]);
    }
    return colours;
  }

  #behind() {
    const { ctx, bbox } = this.plot;
    const { usual, marked, axes } = this.subject;
    const band = usual?.();
    if (band) {
      const [top, bottom] = [this.#y(band.high), this.#y(band.low)];
      ctx.fillStyle = ink.band;
      ctx.fillRect(bbox.left, top, bbox.width, Math.max(bottom - top, 1));
    }
    for (const { from, to } of marked?.() ?? []) {
      const left = Math.max(this.#x(from), bbox.left);
      const right = Math.min(this.#x(to), bbox.left + bbox.width);
      ctx.fillStyle = ink[this.#tone()];
      ctx.globalAlpha = 0.1;
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
      ctx.globalAlpha = 1;
    }
    if (!axes) this.#timeLines();
  }

  #timeLines() {
    const { ctx, bbox, scales } = this.plot;
    const step = timeStep(span());
    ctx.fillStyle = ink.grid;
    const first = Math.ceil(scales.x.min / step) * step;
    for (let at = first; at < scales.x.max; at += step) ctx.fillRect(Math.round(this.#x(at)), bbox.top, 1, bbox.height);
  }

  #before() {
    const { ctx, bbox } = this.plot;
    const { threshold, trace } = this.subject;
    const pxRatio = devicePixelRatio;
    if (threshold !== undefined) {
      ctx.strokeStyle = ink.alarm;
      ctx.lineWidth = pxRatio;
      ctx.setLineDash([4 * pxRatio, 4 * pxRatio]);
      stroke(ctx, bbox.left, this.#y(threshold), bbox.left + bbox.width, this.#y(threshold));
      ctx.setLineDash([]);
    }
    if (lookingBack.peek() === null) return;
    const time = this.plot.scales.x.max - Number(lookingBack.peek());
    const value = trace.at(time);
    ctx.strokeStyle = ink.quiet;
    ctx.lineWidth = pxRatio;
    stroke(ctx, this.#x(time), bbox.top, this.#x(time), bbox.top + bbox.height);
    if (Number.isNaN(value)) return;
    ctx.fillStyle = ink[this.#tone()];
    ctx.beginPath();
    ctx.arc(this.#x(time), this.#y(value), 3 * pxRatio, 0, 2 * Math.PI);
    ctx.fill();
  }

  /** @param {number} time */
  #x(time) {
    return this.plot.valToPos(time, "x", true);
  }

  /** @param {number} value */
  #y(value) {
    return this.plot.valToPos(value, "y", true);
  }
}

/**
 * The time between two lines: a round step, three to six in the window.
 * @param {number} window milliseconds
 */
export function timeStep(window) {
  const s = 1000;
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  return (steps.find((step) => window / (step * s) <= 6) ?? Math.ceil(window / 6 / 86400 / s) * 86400) * s;
}

/**
 * A line through the readings that breaks where one is missing.
 * @param {any} plot
 * @param {number} series
 * @param {number} first
 * @param {number} last
 */
function path(plot, series, first, last) {
  const [times, values] = [plot.data[0], plot.data[series]];
  const { left, top, width, height } = plot.bbox;
  const { x, y } = plot.scales;
  const [perTime, perValue] = [width / (x.max - x.min), height / (y.max - y.min)];
  const line = new Path2D();
  let broken = true;
  for (let i = Math.max(first - 1, 0); i <= last; i++) {
    if (Number.isNaN(values[i])) {
      broken = true;
      continue;
    }
    const px = left + (times[i] - x.min) * perTime;
    const py = top + (y.max - values[i]) * perValue;
    if (broken) line.moveTo(px, py);
    line.lineTo(px, py);
    broken = false;
  }
  return { stroke: line, fill: null, clip: null, band: null, gaps: null, flags: 1 };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 */
function stroke(ctx, x0, y0, x1, y1) {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}

/** @param {number} value */
function short(value) {
  const text = value.toLocaleString("en", { maximumFractionDigits: 6 });
  return text.length > 9 ? value.toExponential(2) : text;
}

const FONT = "11px ui-sans-serif, system-ui, sans-serif";

/** @param {boolean} shown */
const clockAxis = (shown) => ({
  size: shown ? 26 : 0,
  gap: 6,
  font: FONT,
  stroke: () => ink.text,
  grid: { stroke: () => ink.grid, width: 1 },
  ticks: { show: false },
  splits: (/** @type {any} */ _plot, /** @type {number} */ _axis, /** @type {number} */ min, /** @type {number} */ max) => {
    const step = timeStep(max - min) * (innerWidth < 600 ? 2 : 1);
    return Array.from({ length: Math.floor(max / step) - Math.ceil(min / step) + 1 }, (_, i) => (Math.ceil(min / step) + i) * step);
  },
  values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) => splits.map((t) => (shown ? clock(t, span()) : "")),
});

const valueAxis = () => ({
  size: 60,
  gap: 6,
  font: FONT,
  space: 28,
  values: (/** @type {any} */ _plot, /** @type {number[]} */ splits) => splits.map(short),
  stroke: () => ink.text,
  grid: { stroke: () => ink.grid, width: 1 },
  ticks: { show: false },
});
