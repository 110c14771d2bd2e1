// The newest readings of one signal: a ring written twice, so that all of it is one plain view.

const ROOM = 4096;

export class Trace {
  /** @param {number} period milliseconds between readings, 0 when unknown */
  constructor(period) {
    this.period = period;
    this.times = new Float64Array(2 * ROOM);
    this.values = new Float32Array(2 * ROOM);
    this.written = 0;
    this.lastTime = NaN;
    this.lastValue = NaN;
  }

  forget() {
    this.written = 0;
    this.lastTime = this.lastValue = NaN;
  }

  /**
   * Take one reading in; a silence of over three periods is kept as a gap.
   * @param {number} time milliseconds since 1970
   * @param {number} value NaN where the reading is missing
   * @param {boolean} watchGaps false for a backlog, which has its gaps marked already
   */
  push(time, value, watchGaps) {
    const previous = this.written ? this.times[(this.written - 1) % ROOM] : NaN;
    if (time < previous) return;
    const step = time - previous;
    if (watchGaps && this.period > 0 && step > 3 * this.period) this.#put(previous + this.period, NaN);
    this.#put(time, Number.isFinite(value) ? value : NaN);
    if (Number.isFinite(value)) {
      this.lastTime = time;
      this.lastValue = value;
    }
  }

  /**
   * Times and values, oldest first, without copying.
   * @returns {[Float64Array, Float32Array]}
   */
  view() {
    const length = Math.min(this.written, ROOM);
    const start = this.written > ROOM ? this.written % ROOM : 0;
    return [this.times.subarray(start, start + length), this.values.subarray(start, start + length)];
  }

  /**
   * The value shown at a time: the last one at or before it, NaN inside a gap.
   * @param {number} time
   */
  at(time) {
    const [times, values] = this.view();
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low ? values[low - 1] : NaN;
  }

  /** Learn the period from what came live, when nobody said it. */
  guessPeriod() {
    const [times] = this.view();
    if (this.period > 0 || times.length < 8) return;
    const late = times.slice(-33);
    const steps = late.subarray(1).map((t, i) => t - late[i]).sort();
    this.period = steps[steps.length >> 1];
  }

  /**
   * @param {number} time
   * @param {number} value
   */
  #put(time, value) {
    const at = this.written % ROOM;
    this.times[at] = this.times[at + ROOM] = time;
    this.values[at] = this.values[at + ROOM] = value;
    this.written++;
  }
}
