"""The script that loads a module: readings by name, gaps, states as bytes, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bimetal.program.block import HEAD
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Program
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_script import form_of, write_script
from tests.targets.compiled import run, written
from tests.targets.given import detector, lowered, small

START = """import { readFileSync } from "node:fs";
import { form, load, start } from "./model.js";
const file = (name) => readFileSync(new URL(name, import.meta.url));
const code = file("model.wasm"), params = file("params.bin");
const plain = (value) => JSON.stringify(value, (_, x) => (Number.isNaN(x) ? "NaN" : x));
"""


def told(program: Program, block: bytes, script: str, folder: Path) -> list[object]:
    """What a script prints, a JSON value a line."""
    files = {
        "model.wasm": write_wasm(lowered(program)).code,
        "model.js": write_script(program, "model"),
        "params.bin": block[HEAD.size :],
        "package.json": '{"type": "module"}',
        "run.mjs": START + script,
    }
    return [json.loads(line) for line in run(["node", "run.mjs"], written(folder, files)).splitlines()]


def test_a_form_says_where_everything_lies() -> None:
    program, _ = small()
    form = form_of(program)
    lay = layout_of(program)
    assert form["in"]["size"] == lay.input.size
    assert {f["name"]: f["at"] for f in form["state"]["fields"]} == {
        f.name: f.offset for f in lay.state.fields
    }
    assert bytes.fromhex(form["start"]) == initial_state(program)
    assert [c["every"] for c in form["clocks"]] == [True, False]
    json.dumps(form)


@pytest.mark.needs("node")
def test_a_reading_goes_in_by_name_and_comes_out_by_name(tmp_path: Path) -> None:
    program, block = small()
    script = """const model = await load(code, params);
console.log(plain(model.step({ x: 20.5, n: [1, -2, 3] })));
console.log(plain(model.step({ n: [1, 2] })));
console.log(plain(model.step({})));
console.log(plain([...model.state]));
"""
    *steps, state = told(program, block, script, tmp_path)
    rows = np.zeros(3, layout_of(program).input.dtype)
    rows["x"] = [20.5, np.nan, np.nan]
    rows["n"] = [[1, -2, 3], [1, 2, 0], [0, 0, 0]]
    after, outputs, fired = NumpyTarget().load(program, block).run(initial_state(program), rows)
    for k, step in enumerate(steps):
        assert isinstance(step, dict)
        assert step["fired"] == fired[k]
        assert np.float32(step["scaled"]) == outputs["scaled"][k]
        assert step["most"] == outputs["most"][k]
        assert step["high"] is bool(outputs["high"][k])
    assert bytes(state) == after  # type: ignore[arg-type]


@pytest.mark.needs("node")
def test_a_state_can_be_put_back(tmp_path: Path) -> None:
    program, block = detector(1)
    script = """const model = await load(code, params);
const values = Array.from({ length: 80 }, (_, k) => Math.sin(k));
const feed = (part) => part.map((x0) => model.step({ x0 }).score);
feed(values.slice(0, 50));
const saved = model.state.slice();
const first = feed(values.slice(50));
model.state = saved;
console.log(plain(plain(feed(values.slice(50))) === plain(first) && first.some((score) => score > 0)));
model.state = start();
console.log(plain(model.step({ x0: 1 }).score));
"""
    assert told(program, block, script, tmp_path) == [True, 0]


@pytest.mark.needs("node")
def test_more_rows_than_go_in_at_once_are_no_different(tmp_path: Path) -> None:
    program, block = small()
    script = """const many = new Uint8Array(form.in.size * 70000).map((_, k) => (k * 7) % 251);
const [a, b] = [await load(code, params), await load(code, params)];
const all = a.run(many);
const half = form.in.size * 35000;
const parts = [b.run(many.slice(0, half)), b.run(many.slice(half))];
const same = (x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)) === 0;
console.log(plain([
  same(all.outputs, Buffer.concat(parts.map((p) => p.outputs))),
  same(new Uint8Array(all.fired.buffer), Buffer.concat(parts.map((p) => new Uint8Array(p.fired.buffer)))),
  same(a.state, b.state), all.fired.length === 70000,
]));
"""
    assert told(program, block, script, tmp_path) == [[True] * 4]


@pytest.mark.needs("node")
def test_parameters_of_another_program_are_refused(tmp_path: Path) -> None:
    program, block = small()
    script = """const said = await load(code, params.subarray(1)).catch((e) => `${e.name}: ${e.message}`);
console.log(plain(said));
"""
    (said,) = told(program, block, script, tmp_path)
    assert (
        said == f"RangeError: {len(block) - HEAD.size - 1} bytes of parameters, not {len(block) - HEAD.size}"
    )


def test_a_title_cannot_leave_its_place() -> None:
    program, _ = small()
    text = write_script(Program(program.inputs, program.params, program.states, program.sets, program.outputs,
                                "`${evil}` */ </script> \"'"), "model")  # fmt: skip
    assert "</script>" not in text
    assert "*/ <" not in text
    assert json.loads(text.split("export const form = ")[1].split(";\n")[0])["title"]
