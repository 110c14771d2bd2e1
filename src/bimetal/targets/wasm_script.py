"""Wasm script: the ES module that loads an emitted program, in a page as in node."""

from __future__ import annotations

import json
from typing import Any

from bimetal.program.layout import Layout, initial_state, layout_of
from bimetal.program.node import EVERY
from bimetal.program.program import Program
from bimetal.targets.c99 import words


def write_script(program: Program, name: str) -> str:
    """Return `NAME.js`: it loads the module with any parameter values, and runs readings."""
    return SCRIPT.replace("%name%", name).replace("%form%", json.dumps(form_of(program), indent=2))


def form_of(program: Program) -> dict[str, Any]:
    """Return where everything lies, as JSON can hold it; `start` is the first state in hexadecimal."""
    lay = layout_of(program)
    return {
        "title": words(program.title),
        "state": _struct(lay.state),
        "params": _struct(lay.params),
        "in": _struct(lay.input),
        "out": _struct(lay.output),
        "clocks": [{"period": c.period, "first": c.first, "every": c == EVERY} for c in program.clocks],
        "start": initial_state(program).hex(),
    }


def _struct(layout: Layout) -> dict[str, Any]:
    fields = [
        {"name": f.name, "type": f.dtype, "shape": list(f.shape), "at": f.offset} for f in layout.fields
    ]
    return {"size": layout.size, "fields": fields}


SCRIPT = """// %name%.js: loads %name%.wasm with parameter values and runs it, in a page as in node.
//
//     const model = await load(code, params);          // both Uint8Array or ArrayBuffer
//     const { fired, ...results } = model.step({ temperature: 20.5 });   // NaN, or left out: a gap
//     model.state = saved;                             // the whole memory of a device, as bytes
//
// run(rows) takes many readings at once, as bytes of the struct `form.in`.

export const form = %form%;

const WIDTH = { f32: 4, i32: 4, i16: 2, i8: 1, u8: 1, b1: 1 };
const READ = {
  f32: (v, at) => v.getFloat32(at, true),
  i32: (v, at) => v.getInt32(at, true),
  i16: (v, at) => v.getInt16(at, true),
  i8: (v, at) => v.getInt8(at),
  u8: (v, at) => v.getUint8(at),
  b1: (v, at) => v.getUint8(at) !== 0,
};
const WRITE = {
  f32: (v, at, x) => v.setFloat32(at, x, true),
  i32: (v, at, x) => v.setInt32(at, x, true),
  i16: (v, at, x) => v.setInt16(at, x, true),
  i8: (v, at, x) => v.setInt8(at, x),
  u8: (v, at, x) => v.setUint8(at, x),
  b1: (v, at, x) => v.setUint8(at, x ? 1 : 0),
};
const MOST_BYTES = 1 << 20;

const bytesOf = (data) => (data instanceof ArrayBuffer ? new Uint8Array(data) : data);
const round = (size) => (size + 15) & ~15;
const count = (field) => field.shape.reduce((a, b) => a * b, 1);

/** The state of a device that has seen nothing yet. */
export function start() {
  return Uint8Array.from(form.start.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Compile the module; throws when the parameters are not of this program. */
export async function load(code, params) {
  const values = bytesOf(params);
  if (values.length !== form.params.size) {
    throw new RangeError(`${values.length} bytes of parameters, not ${form.params.size}`);
  }
  const { instance } = await WebAssembly.instantiate(bytesOf(code), {});
  return new Model(instance.exports, values);
}

class Model {
  #exports;
  #params;
  #free;

  constructor(exports, params) {
    this.#exports = exports;
    this.#params = exports.heap.value;
    this.#free = round(this.#params + params.length);
    this.#bytes(this.#free).set(params, this.#params);
    this.state = start();
  }

  /** Take one reading by the names of its signals; returns what fired and all results by name. */
  step(reading) {
    const row = new Uint8Array(form.in.size);
    const view = new DataView(row.buffer);
    for (const field of form.in.fields) {
      const given = reading[field.name] ?? (field.type === "f32" ? NaN : 0);
      for (let k = 0; k < count(field); k++) {
        const value = field.shape.length ? given[k] ?? NaN : given;
        WRITE[field.type](view, field.at + k * WIDTH[field.type], value);
      }
    }
    const { outputs, fired } = this.run(row, 1);
    return { fired: fired[0], ...this.named(outputs) };
  }

  /** The results of one row by name; arrays are flat. */
  named(outputs, row = 0) {
    const view = new DataView(outputs.buffer, outputs.byteOffset + row * form.out.size, form.out.size);
    const read = (field, k) => READ[field.type](view, field.at + k * WIDTH[field.type]);
    return Object.fromEntries(form.out.fields.map((field) => [
      field.name,
      field.shape.length ? Array.from({ length: count(field) }, (_, k) => read(field, k)) : read(field, 0),
    ]));
  }

  /** Take n rows, one after the other; returns { outputs, fired } and moves `state` on. */
  run(rows, n = form.in.size ? rows.length / form.in.size : 0) {
    const outputs = new Uint8Array(n * form.out.size);
    const fired = new Uint32Array(n);
    const few = Math.max(1, Math.floor(MOST_BYTES / (form.in.size + form.out.size + 4)));
    for (let row = 0; row < n; row += few) {
      const part = Math.min(few, n - row);
      const state = this.#free;
      const into = round(state + form.state.size);
      const out = round(into + part * form.in.size);
      const bits = round(out + part * form.out.size);
      const memory = this.#bytes(bits + part * 4);
      memory.set(this.state, state);
      memory.set(rows.subarray(row * form.in.size, (row + part) * form.in.size), into);
      memory.fill(0, out, bits);
      this.#exports.rows(state, this.#params, into, out, bits, part);
      this.state = memory.slice(state, state + form.state.size);
      outputs.set(memory.subarray(out, out + part * form.out.size), row * form.out.size);
      fired.set(new Uint32Array(memory.buffer, bits, part), row);
    }
    return { outputs, fired };
  }

  #bytes(size) {
    const memory = this.#exports.memory;
    const missing = size - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    return new Uint8Array(memory.buffer);
  }
}
"""
