// Binary frames for fast signals. The layout is written down in src/bimetal/api/frame.py.

export const VERSION = 1;
export const READINGS = 1;
export const SCORES = 2;

/**
 * Rows of one device; values are column after column, `first` is the first column's number.
 * @typedef {{content: number, replace: boolean, first: number, columns: number, device: number,
 *   rows: number, origin: number, offset: Float32Array, values: Float32Array}} Block
 */

/**
 * Read a frame. Throws RangeError when it is not one, or is cut short.
 * @param {ArrayBuffer} buffer
 * @returns {{sequence: number, blocks: Block[]}}
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 16 || view.getUint16(0, true) !== 0x6d62 || view.getUint8(2) !== VERSION) {
    throw new RangeError("this is no frame of version " + VERSION);
  }
  /** @type {Block[]} */
  const blocks = [];
  let at = 16;
  for (let left = view.getUint32(4, true); left > 0; left--) {
    const columns = view.getUint16(at + 4, true);
    const rows = view.getUint32(at + 12, true);
    const head = { content: view.getUint8(at), replace: view.getUint8(at + 1) === 1 };
    const where = { first: view.getUint16(at + 2, true), device: view.getUint32(at + 8, true) };
    const origin = view.getFloat64(at + 16, true);
    const offset = new Float32Array(buffer, at + 24, rows);
    const values = new Float32Array(buffer, at + 24 + 4 * rows, rows * columns);
    blocks.push({ ...head, ...where, columns, rows, origin, offset, values });
    at += 24 + 4 * rows * (1 + columns);
  }
  return { sequence: view.getUint32(8, true), blocks };
}
