"""Bringing: the work of `bimetal bring`, imported when it is called."""

from __future__ import annotations

import csv
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal import __version__
from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import check_free, write
from bimetal.cli.home import keys
from bimetal.cli.whole import check_place
from bimetal.learn.card import Card, CardSignal
from bimetal.learn.detector import input_names
from bimetal.learn.imports.bring import read
from bimetal.learn.imports.foreign import Foreign, Formula
from bimetal.learn.imports.net import Net
from bimetal.learn.imports.onnx.file import parsed
from bimetal.learn.usual import Usual, usual_of
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.nouns.signal import Signal
from bimetal.program.block import pack
from bimetal.program.layout import layout_of
from bimetal.program.verify import check
from bimetal.shrink.profile import FLOATS, INTEGER, Chosen, chosen, in_floats, in_whole_numbers
from bimetal.targets.lower import lower
from bimetal.targets.present import fastest
from bimetal.targets.vectors import make_vectors
from bimetal.targets.wasm import write_wasm

PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".joblib")
OTHERS = (".h5", ".keras", ".tflite", ".safetensors")
EMPTY = ("", "nan", "na", "null", "none", "?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: the profile (None: whole numbers where they do), the column of answers, and the most
    that may be lost (None: what is usually allowed)."""

    profile: str | None
    answers: str | None
    most_loss: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A table of numbers (n, columns), NaN for gaps, and the answers known of each row, if there are any."""

    names: tuple[str, ...]
    values: NDArray[np.float64]
    answers: list[str] | None


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What came of it."""

    chosen: Chosen
    size: int

    def lines(self, output: Path) -> list[str]:
        """Say it in sentences."""
        program = self.chosen.brought.program
        told = ", ".join(f"{name}{list(n.shape) if n.shape else ''}" for name, n in program.outputs)
        learned = f"{layout_of(program).params.size:,} bytes learned"
        found = [f"{output}: {program.title}, gives {told}; {learned}; {self.size:,} bytes, signed"]
        found.append(self.chosen.words())
        found += [] if self.chosen.loss else [f"bound: {self.chosen.brought.bound}"]
        place = shlex.quote(str(output))
        return [*found, f"Next: bimetal build {place} --board NAME -o FOLDER"]

    def plain(self, output: Path) -> dict[str, Any]:
        """Return it as texts and numbers."""
        made = self.chosen
        outputs = {name: list(n.shape) for name, n in made.brought.program.outputs}
        about = {"model": str(output), "bytes": self.size, "outputs": outputs, "bound": made.brought.bound}
        why = {"profile": made.profile, "why": made.why or None}
        return about | why | {"int8": made.loss.plain() if made.loss else None}


def bring(net: Path, table: Path, output: Path, wanted: Wanted) -> Made:
    """Write a model of an ONNX file.

    Raises Unsupported for what cannot be brought over, BadInput for files that are none. Where whole numbers
    are asked for: Unsupported for what cannot be made int8, and GateNotMet where that has collapsed or lost
    more than is allowed. Nothing is written then.
    """
    if wanted.most_loss is not None and (wanted.profile == FLOATS or not 0 < wanted.most_loss < 1):
        raise BadInput("--most-loss is a share such as 0.02, and floats lose nothing")
    check_place(output, [net, table])
    check_free(output)
    model = parsed(_bytes_of(net), str(net))
    rows = table_of(table, wanted.answers)
    try:
        foreign = replace(read(model, rows.values.shape[1]), title=net.stem)
    except BadInput as error:
        hint = (
            error.hint or f"Columns of {table.name}: {', '.join(rows.names[:12])}; --answers leaves one out"
        )
        raise BadInput(error.what, where=str(net), hint=hint) from None
    made = _made(foreign, rows, wanted)
    return Made(made, write(output, _bundle(made, rows, net, table), keys().signing_key()))


def _made(foreign: Foreign, rows: Rows, wanted: Wanted) -> Chosen:
    """Bring it over: a net over a picture as one input, any other with an input for each signal."""
    spelled = foreign.scores.spelled if isinstance(foreign.scores, Formula) else None
    vector = isinstance(spelled, Net) and spelled.rank > 1
    if wanted.profile == FLOATS:
        return in_floats(foreign, rows.names, vector=vector)
    choose = in_whole_numbers if wanted.profile == INTEGER else chosen
    known, most = rows.answers, wanted.most_loss
    return choose(foreign, rows.names, rows.values, fastest(), known, vector=vector, most_lost=most)


def _bundle(made: Chosen, rows: Rows, net: Path, table: Path) -> Bundle:
    program = made.brought.program
    report = check(program)
    signals = [Signal(name) for name in rows.names]
    usual = usual_of(rows.values, signals)
    block = pack(program, made.brought.values)
    everyday = {i.name: _range(usual, k, bool(i.shape)) for k, i in enumerate(program.inputs)}
    vectors = make_vectors(program, block, seed=0, usual=everyday)
    wasm = write_wasm(lower(program, report.ranges)).code
    card = _card(made, rows, [net.name, table.name], usual).plain()
    return Bundle(program, {FLEET: block}, card, vectors.encode(), wasm, time.time_ns(), __version__)


def _range(usual: Sequence[Usual], k: int, together: bool) -> tuple[float, float]:
    """Return between what an input usually is; one that holds all signals, what any of them is."""
    some = usual if together else [usual[k]]
    return min(u.low for u in some), max(u.high for u in some)


def _card(chosen: Chosen, rows: Rows, sources: list[str], usual: list[Usual]) -> Card:
    made = chosen.brought
    inputs = made.program.inputs
    names = input_names(rows.names) if not inputs[0].shape else (inputs[0].name,) * len(rows.names)
    labels = f"classes: {', '.join(made.labels)}" if made.labels else ""
    limits = [f"its answers: {made.bound}", labels, chosen.words()]
    return Card(
        purpose=f"{made.program.title}, trained elsewhere",
        signals=tuple(CardSignal(s, "", "", i) for s, i in zip(rows.names, names, strict=True)),
        devices=(),
        rows=len(rows.values),
        rows_left_out=0,
        rows_thinned=0,
        first_ns=0,
        last_ns=0,
        period_s=0.0,
        promise="",
        promise_words="",
        threshold=0.0,
        seen_alarms=0,
        warm_up_rows=0,
        usual={FLEET: usual},
        sources=tuple(sources),
        columns=rows.names,
        limits=tuple(filter(None, limits)),
        profile=chosen.profile,
    )


def _bytes_of(net: Path) -> bytes:
    """Return a file's bytes; refuses by its name what is known not to be ONNX."""
    where, kind = str(net), net.suffix.lower()
    if kind in PICKLES:
        raise Unsupported(
            f"a {kind} file runs code when it is opened", where=where,
            hint="Export it: torch.onnx.export or skl2onnx; or call bimetal.learn.imports.bring in Python",
        )  # fmt: skip
    if kind in OTHERS:
        raise Unsupported(
            f"{kind} is not read", where=where, hint="Export the model as ONNX (tf2onnx, for one)"
        )
    try:
        return net.read_bytes()
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=where) from None


def table_of(path: Path, answers: str | None) -> Rows:
    """Return a CSV file of numbers with a heading; raises BadInput with the line that is no row of it."""
    where = str(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=where) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"it is no CSV file ({error})", where=where) from None
    head = [h.strip() for h in lines[0]] if lines else []
    if len(lines) < 2 or not all(head) or len(set(head)) < len(head):
        raise BadInput("it needs a heading of different names, and rows", where=where)
    if answers is not None and answers not in head:
        raise BadInput(
            f"there is no column {answers!a}", where=where, hint=f"Columns: {', '.join(head[:12])}"
        )
    at = head.index(answers) if answers is not None else -1
    values = np.array([_numbers(line, k, head, at, where) for k, line in enumerate(lines[1:], 2) if line])
    known = [line[at].strip() for line in lines[1:] if line] if at >= 0 else None
    return Rows(tuple(h for k, h in enumerate(head) if k != at), values, known)


def _numbers(line: list[str], number: int, head: list[str], skipped: int, where: str) -> list[float]:
    if len(line) != len(head):
        raise BadInput(f"line {number} has {len(line)} cells, the heading {len(head)}", where=where)
    found: list[float] = []
    for k, cell in enumerate(line):
        if k != skipped:
            try:
                found.append(float("nan") if cell.strip().lower() in EMPTY else float(cell))
            except ValueError:
                hint = "Leave text columns out, or name the one with --answers"
                raise BadInput(
                    f"line {number}: {cell[:20]!a} is no number, in {head[k]!a}", where=where, hint=hint
                ) from None
    return found
