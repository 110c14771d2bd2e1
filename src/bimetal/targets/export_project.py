"""Export project: a program in the format of others, in a folder that says how near it is, and tests that."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.program.program import Program
from bimetal.targets.c99 import words
from bimetal.targets.export import WITHIN
from bimetal.targets.litert import write_litert
from bimetal.targets.onnx import write_onnx
from bimetal.targets.project import Files
from bimetal.targets.vectors import Vectors

MOST_ROWS = 200
"""How much of a run is written down."""
EVERYDAY = ("everyday", "gaps", "constant")
"""Runs of golden vectors that the bound is for."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name in words, how its files end, what writes it, what runs it, and how in Python."""

    form: str
    ending: str
    write: Callable[[Program, bytes], bytes]
    runtime: str
    load: str


LOAD_ONNX = """    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    kinds = {"float": "f4", "bool": "?", "int32": "i4", "int16": "i2", "int8": "i1", "uint8": "u1"}
    types = {i.name: kinds[i.type[7:-1]] for i in session.get_inputs()}
    names = [o.name for o in session.get_outputs()]
    states = json.loads(session.get_modelmeta().custom_metadata_map["bimetal.states"])
    return lambda given: dict(zip(names, session.run(None, given))), types, states"""

LOAD_LITERT = """    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_litert.schema_py_generated import Model

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    run = interpreter.get_signature_runner("serving_default")
    types = {name: form["dtype"] for name, form in run.get_input_details().items()}
    model = Model.GetRootAs(path.read_bytes(), 0)
    notes = {model.Metadata(k).Name(): model.Metadata(k).Buffer() for k in range(model.MetadataLength())}
    states = json.loads(bytes(model.Buffers(notes[b"bimetal.states"]).DataAsNumpy()))
    return lambda given: run(**given), types, states"""

FORMATS: Mapping[str, Format] = {
    "onnx": Format("ONNX", "onnx", write_onnx, "onnxruntime", LOAD_ONNX),
    "litert": Format("LiteRT", "tflite", write_litert, "ai-edge-litert", LOAD_LITERT),
}


def files_of(program: Program, block: bytes, vectors: Vectors, name: str, chosen: Format) -> Files:
    """Return the files of the folder, by name.

    Raises BadInput for a bad name or block, Unsupported where the package is missing that writes the format,
    or where the format cannot hold the program.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,30}", name):
        raise BadInput(f"{name!r} is not a name for files", hint="Use letters, digits, - and _")
    texts = {
        "vectors.json": _written(vectors),
        "test.py": TEST.replace("%file%", f"{name}.{chosen.ending}").replace("%load%", chosen.load),
        "README.txt": _readme(program, name, chosen),
    }
    model = chosen.write(program, block)
    return {f"{name}.{chosen.ending}": model, **{file: text.encode("ascii") for file, text in texts.items()}}


def _written(vectors: Vectors) -> str:
    """Return everyday golden vectors as JSON: columns of readings and results; null is a gap."""
    chosen = [v for v in vectors.runs if v.name.startswith(EVERYDAY)]
    runs = [{"name": v.name, "readings": _columns(v.rows), "results": _columns(v.outputs)} for v in chosen]
    return json.dumps({"within": WITHIN, "runs": runs}) + "\n"


def _columns(rows: NDArray[Any]) -> dict[str, Any]:
    return {name: _plain(rows[name][:MOST_ROWS]) for name in rows.dtype.names or ()}


def _plain(column: NDArray[Any]) -> Any:
    """Return numbers as JSON has them: NaN as null."""
    if column.dtype.kind != "f":
        return column.tolist()
    flat = [None if value != value else value for value in column.reshape(-1).tolist()]
    return np.array(flat, object).reshape(column.shape).tolist()


def _readme(program: Program, name: str, chosen: Format) -> str:
    title = words(program.title)
    return README.format(
        name=name,
        title=title,
        form=chosen.form,
        rule="=" * (len(name) + len(title) + len(chosen.form) + 6),
        file=f"{name}.{chosen.ending}",
        runtime=chosen.runtime,
        within=WITHIN,
    )


TEST = '''"""Run %file% on golden vectors, and say how far it is from the law. Usage: python test.py"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def load(path):
    """Return what runs a model, the types of its inputs, and what it says of its states."""
%load%


def numbers(values):
    """Return numbers, a gap as NaN."""
    return np.array(values, dtype=float)


def worst(call, types, states, run):
    """Return the greatest error of a run, relative to the larger of 1 and the law."""
    held = {name: np.array(state["first"], types[name]) for name, state in states.items()}
    readings, results = ({n: numbers(c) for n, c in run[k].items()} for k in ("readings", "results"))
    most = 0.0
    for row in range(len(next(iter(results.values())))):
        found = call({**{n: np.array(c[row], types[n]) for n, c in readings.items()}, **held})
        held = {name: found[state["next"]] for name, state in states.items()}
        for name, column in results.items():
            got = np.asarray(found.get(name, found.get(f"{name}_out")), float)
            off = np.abs(got - column[row]) / np.maximum(1, np.abs(column[row]))
            same = (got == column[row]) | (np.isnan(got) & np.isnan(column[row]))
            most = max(most, float(np.max(np.where(same, 0, off))))
    return most


def main():
    """Print the error of every run; the exit status is 1 where one is beyond the bound."""
    said = json.loads((HERE / "vectors.json").read_text())
    errors = [(run["name"], worst(*load(HERE / "%file%"), run)) for run in said["runs"]]
    for name, error in errors:
        print(f"{name}: {error:.2g}")
    return 0 if all(error <= said["within"] for _, error in errors) else 1


if __name__ == "__main__":
    sys.exit(main())
'''

README = """{name}: {title}, as {form}
{rule}
python test.py    runs golden vectors with {runtime}, and prints how far it is from the law

{file}: parameters inside. One call takes one reading of one device.

It agrees with the law within {within:g} of the larger of 1 and the result, for everyday readings; the
C and WebAssembly that bimetal builds agree bit for bit. Sums may be added up in another order, and
infinite readings may be treated otherwise.

Inputs are the readings (NaN is a gap) and, called state_..., the whole memory of the device; outputs
are the results, the memory afterwards, called next_..., and which clocks fired, one bit each. The
model's metadata `bimetal.states` is JSON: for each such input which output is its next value, and
what it is for a device that has seen nothing.
"""
