"""Programs to package: the detector, and one of odd types, clocks and names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from bimetal.learn.detector import Design, detector_program
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.packaging.package import PACKAGES, PLAIN, packed
from bimetal.targets.packaging.parts import About, Parts, parts_of
from bimetal.targets.project import write_folder
from bimetal.targets.vectors import make_vectors

STUB = Path(__file__).parent / "stub"


def plain_draft() -> Draft:
    """The detector of two signals."""
    return detector_program(Design(2, warm_up=4), ["temperature", "pressure"])[1]


def odd_draft() -> Draft:
    """Whole numbers, an array, a slow clock, results of it alone, and texts that want to be code."""
    draft = Draft('odd "*/ %name% \\ \n= é')
    axes = draft.input("axes", "f32", (3,), unit='%s "m/s2" */')
    pin = draft.input("default", "u8")
    size = word.window(draft, letter.mul(word.total(letter.mul(axes, axes)), 0.5), 4, 4)
    draft.output("energy", word.total(size))
    draft.output("pins", letter.reduce(word.window(draft, letter.cast(pin, "i32"), 4, 4), "max"))
    return draft


def bare_draft() -> Draft:
    """Neither state nor parameters."""
    draft = Draft("bare")
    draft.output("high", letter.lt(letter.const(40, "i32"), letter.cast(draft.input("level", "i8"), "i32")))
    return draft


DRAFTS = {"plain": plain_draft, "odd": odd_draft, "bare": bare_draft}


@cache
def block_of(which: str) -> bytes:
    """Return the parameters of one of the programs."""
    draft = DRAFTS[which]()
    return pack(draft.finish(), {name: np.asarray(value) for name, value in draft.values.items()})


@cache
def parts(which: str, board: str = "") -> Parts:
    """Return the parts of one of the programs, called plant."""
    program, block = DRAFTS[which]().finish(), block_of(which)
    vectors = make_vectors(program, block, seed=3, runs=12)
    about = About(version="2026.1.5", period_s=0.25, board=board, remarks=("Fits nowhere.",))
    return parts_of(program, block, vectors, "plant", about)


def told(which: str, rows: int) -> list[list[str]]:
    """Return the words of what an example prints with printf, of as many readings, all of them gaps."""
    made = parts(which)
    layout = layout_of(made.program)
    gaps = np.zeros(rows, layout.input.dtype)
    for field in layout.input.fields:
        gaps[field.name] = np.nan if field.dtype == "f32" else 0
    law = NumpyTarget().load(made.program, block_of(which))
    _, results, fired = law.run(initial_state(made.program), gaps)
    said = [row for row in range(rows) if which != "odd" or fired[row] > 1]
    return [
        [word for f in made.results() for value in results[f.name][row].reshape(-1).tolist()
         for word in (f.name, f"{value:g}")]
        for row in said
    ]  # fmt: skip


def written(kind: str, which: str, folder: Path) -> Path:
    """Write one of the programs as a package, "" for the plain form."""
    write_folder(packed(parts(which), PACKAGES.get(kind, PLAIN)), str(folder))
    return folder
