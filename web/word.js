// Numbers, units and times as people read them.

/** @type {Record<string, string>} UCUM codes whose written form differs */
const UNITS = {
  "1": "", Cel: "°C", "[degF]": "°F", K: "K", Ohm: "Ω", deg: "°", "[pH]": "pH", "m3/h": "m³/h", "m3/s": "m³/s",
  "m/s2": "m/s²", "L/min": "l/min", "l/min": "l/min", "/min": "rpm", "{rpm}": "rpm", us: "µs", um: "µm", "[psi]": "psi",
};

/** @param {string} code */
export const unit = (code) => UNITS[code] ?? code.replace(/^u(?=[A-Za-z])/, "µ");

/**
 * A value with as many digits as help, always the same number for the same size.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(2);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number} value */
export const count = (value) => Math.round(value).toLocaleString("en");

/**
 * How many of them, with the right ending.
 * @param {number} n
 * @param {string} one
 */
export const many = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;

/**
 * A length of time in its largest fitting unit.
 * @param {number} ms
 */
export function lasting(ms) {
  const s = Math.max(0, ms / 1000);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 90 * 60) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/**
 * The time of day, with the day where the window is longer than one.
 * @param {number} ms since 1970
 * @param {number} span milliseconds the reader is looking at
 */
export const clock = (ms, span = 0) => (span > 86_400_000 ? DAY : CLOCK).format(ms);

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** @param {number} ms since 1970 */
export const day = (ms) => DATE.format(ms);

/** @param {string | null} iso */
export const moment = (iso) => (iso ? Date.parse(iso.replace(/(\.\d{3})\d+/, "$1")) : NaN);

/**
 * What is used of what may be used, in the unit that reads best.
 * @param {number} used
 * @param {number} limit
 * @param {string} of
 */
export function budget(used, limit, of) {
  const bytes = of === "B" || of === "bytes";
  const scale = bytes && limit >= 4096 ? 1024 : 1;
  const name = bytes ? (scale === 1024 ? "KiB" : "B") : unit(of);
  const short = (/** @type {number} */ v) => {
    const x = v / scale;
    return x.toLocaleString("en", { maximumFractionDigits: x >= 100 || Number.isInteger(x) ? 0 : x >= 10 ? 1 : 2 });
  };
  return `${short(used)} of ${short(limit)} ${name}`.trim();
}
