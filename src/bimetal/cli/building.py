"""Building: the work of `bimetal build`, imported when it is called."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from bimetal.bundle.bundle import Bundle
from bimetal.cli.opening import open_model
from bimetal.learn.card import card_of
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.targets import c99_project, wasm_project
from bimetal.targets.project import write_folder
from bimetal.targets.vectors import Vectors, decode, make_vectors

LONGEST = 24
AS = {"c99": "C99", "wasm": "WebAssembly"}
TAKEN = frozenset(("main", "test", "test_main", "vectors", "package", "bimetal"))
"""Names of other files of the folder, or that begin what all programs share."""


def write_target(model: Path, target: str, output: Path, device: str | None) -> list[str]:
    """Write the folder and return the names of its files.

    Raises NotFound for an unknown device, BadInput when the folder is somebody else's.
    """
    name = identifier(model.stem)
    bundle = open_model(model).bundle
    check_folder(output, name, AS[target])
    block = _block(bundle, device, model)
    vectors = _vectors(bundle, block, device)
    project = c99_project if target == "c99" else wasm_project
    files = project.files_of(bundle.program, block, vectors, name)
    fresh = not output.exists()
    try:
        write_folder(files, str(output))
    except BadInput:
        if fresh:
            with contextlib.suppress(OSError):
                output.rmdir()
        raise
    return sorted(files)


def _block(bundle: Bundle, device: str | None, model: Path) -> bytes:
    """Return the fleet's parameters, or a device's own."""
    if not device:
        return bundle.blocks[FLEET]
    try:
        return bundle.known_block(device)
    except NotFound as error:
        raise NotFound(error.what, where=str(model), hint=error.hint) from None


def check_folder(output: Path, name: str, form: str) -> None:
    """Raise BadInput unless a folder can be written to and is new, empty, or from an earlier such build."""
    where = str(output)
    if output.exists() and not output.is_dir():
        raise BadInput("this is a file, not a folder", where=where, hint="Name a folder with -o")
    above = next(p for p in (output, *output.absolute().parents) if p.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise BadInput("this folder may not be written to", where=str(above), hint="Name another with -o")
    if output.is_dir() and any(output.iterdir()) and not _is_ours(output, name, form):
        raise BadInput(
            "there are other files in this folder, and they are left as they are",
            where=where,
            hint="Name a new folder with -o",
        )


def _is_ours(folder: Path, name: str, form: str) -> bool:
    """Whether an earlier build of the same name and form wrote this folder: its README says so."""
    try:
        first = (folder / "README.txt").read_text(encoding="utf-8").split("\n", 1)[0]
    except (OSError, UnicodeDecodeError):
        return False
    return first.startswith(f"{name}: ") and first.endswith(f", as {form}")


def _vectors(bundle: Bundle, block: bytes, device: str | None) -> Vectors:
    """The model's own vectors are for the fleet; a device's parameters get theirs from the law."""
    if not device:
        return decode(bundle.program, bundle.vectors)
    card = card_of(bundle.card)
    usual = {s.input: (u.low, u.high) for s, u in zip(card.signals, card.usual_of(device), strict=True)}
    return make_vectors(bundle.program, block, seed=0, usual=usual)


def identifier(stem: str) -> str:
    """Return a name for C and for files that begins with a letter and is nobody else's."""
    plain = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:LONGEST].strip("_") or "model"
    return f"model_{plain}" if plain[0].isdigit() or plain in TAKEN else plain
