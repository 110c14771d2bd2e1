"""Building: the work of `bimetal build`, imported when it is called."""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bimetal.bundle.bundle import Bundle
from bimetal.cli.fitting import NO_C, Forms, Room, refusal, what_would_fit
from bimetal.cli.opening import open_model
from bimetal.cli.whole import check_folder
from bimetal.learn.card import Card, card_of
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, GateNotMet, NotFound
from bimetal.shrink.alternative import Alternative
from bimetal.shrink.budget import Fit, need_of
from bimetal.shrink.certificate import FILE, certificate, sentence
from bimetal.shrink.planting import Planted
from bimetal.shrink.profile import arithmetic
from bimetal.targets import export_project, wasm_project
from bimetal.targets.export_project import FORMATS
from bimetal.targets.name import TAKEN
from bimetal.targets.packaging.package import PACKAGES, PLAIN, packed
from bimetal.targets.packaging.parts import About, Parts, parts_of
from bimetal.targets.project import Files, write_folder
from bimetal.targets.vectors import Vectors, decode, make_vectors

LONGEST = 24
OURS = TAKEN | {"vectors", "bimetal"}
"""Names of other files of the folder, or that begin what all programs share."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the target, the form of its folder, whose parameters, where it is to run, and in
    which profile it must be."""

    target: str
    package: str | None
    device: str | None
    room: Room | None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """What was written: the files, the certificate if a place to run was named, and what to do next."""

    files: list[str]
    certificate: dict[str, Any] | None
    fit: Fit | None
    next: str


def build(model: Path, wish: Wish, output: Path, refused: Callable[[Fit, list[Alternative]], None]) -> Built:
    """Write the folder, with a certificate where it is known what it is to run on.

    Raises NotFound for an unknown device, BadInput when the folder is somebody else's, and GateNotMet
    when the model is of another profile, or does not fit; `refused` is told then, with what would fit.
    """
    name = identifier(model.stem)
    bundle = open_model(model).bundle
    form = _form(wish)
    _check_profile(card_of(bundle.card), wish.profile, str(model))
    check_output(output, name, form)
    block = _block(bundle, wish.device, model)
    vectors = _vectors(bundle, block, wish.device)
    planted, here = _judged(model, bundle, Planted("", bundle.program, block), vectors, wish.room, refused)
    program, block = planted.program, planted.block
    if wish.target == "wasm":
        files = wasm_project.files_of(bundle.program, block, vectors, name)
        step = "make test"
    elif wish.target in FORMATS:
        files = export_project.files_of(bundle.program, block, vectors, name, FORMATS[wish.target])
        step = "python test.py"
    else:
        package = PACKAGES[wish.package] if wish.package else PLAIN
        parts = parts_of(program, block, vectors, name, _about(bundle, wish, here))
        files, step = packed(parts, package), package.next
        here = here and _with_vectors(here, parts)
    record = certificate(need_of(program), block, here, files, bundle.program) if here else None
    if record:
        files = {**files, FILE: (json.dumps(record, indent=2) + "\n").encode("ascii")}
    _write(files, output)
    if not record:
        (output / FILE).unlink(missing_ok=True)
    return Built(sorted(files), record, here, f"cd {shlex.quote(str(output))} && {step}")


def _with_vectors(here: Fit, parts: Parts) -> Fit:
    table = f"the table of {parts.count} golden vectors takes {parts.vector_bytes:,} bytes of flash more"
    return replace(here, notes=(*here.notes, f"{table} where the self-test is linked"))


def _judged(
    model: Path,
    bundle: Bundle,
    given: Planted,
    vectors: Vectors,
    room: Room | None,
    refused: Callable[[Fit, list[Alternative]], None],
) -> tuple[Planted, Fit | None]:
    """Hold the model against where it is to run, its forests in the form that suits.

    Raises GateNotMet where it does not fit.
    """
    if room is None:
        return given, None
    forms = Forms(given.program, given.block, vectors)
    card = card_of(bundle.card)
    planted, here = room.planted(forms, card.period_s)
    if not here.fits:
        found = list(what_would_fit(bundle, forms, room, here))
        refused(here, found)
        raise refusal(str(model), here, found)
    told = f"profile {card.profile}: {arithmetic(forms.need(planted))}, at worst"
    return planted, replace(here, notes=(*here.notes, told))


def _check_profile(card: Card, asked: str | None, where: str) -> None:
    """Raise GateNotMet where a model is not of the profile that is asked for: it is chosen with its rows."""
    if asked in (None, card.profile):
        return
    if card.promise:
        hint = "What bimetal train makes has no integer form (decision 0024); leave --profile out"
    else:
        hint = f"Bring it again: bimetal bring NET ROWS --profile {asked} says what it loses"
    raise GateNotMet(f"it is of the profile {card.profile}, not {asked}", where=where, hint=hint)


def _form(wish: Wish) -> str:
    if wish.target in NO_C:
        if wish.package:
            hint = f"Leave --package or --target {wish.target} out"
            raise BadInput(f"a {wish.package} package holds C", hint=hint)
        return FORMATS[wish.target].form if wish.target in FORMATS else "WebAssembly"
    return PACKAGES[wish.package].form if wish.package else PLAIN.form


def _about(bundle: Bundle, wish: Wish, here: Fit | None) -> About:
    made = datetime.datetime.fromtimestamp(bundle.made_ns / 1e9, datetime.UTC)
    board = wish.room.board.name if wish.room and wish.room.board else ""
    remarks = (f"{sentence(here)} See {FILE}.",) if here else ()
    return About(f"{made.year}.{made.month}.{made.day}", card_of(bundle.card).period_s, board, remarks)


def _write(files: Files, output: Path) -> None:
    fresh = not output.exists()
    try:
        write_folder(files, str(output))
    except BadInput:
        if fresh:
            shutil.rmtree(output, ignore_errors=True)
        raise


def _block(bundle: Bundle, device: str | None, model: Path) -> bytes:
    """Return the fleet's parameters, or a device's own."""
    if not device:
        return bundle.blocks[FLEET]
    try:
        return bundle.known_block(device)
    except NotFound as error:
        raise NotFound(error.what, where=str(model), hint=error.hint) from None


def check_output(output: Path, name: str, form: str) -> None:
    """Raise BadInput unless a folder can be written to and is new, empty, or from an earlier such build."""
    where = str(output)
    if os.path.exists(output) and not os.path.isdir(output):
        raise BadInput("this is a file, not a folder", where=where, hint="Name a folder with -o")
    above = next(p for p in (output, *output.absolute().parents) if os.path.exists(p))
    check_folder(above)
    if os.path.isdir(output) and any(output.iterdir()) and not _is_ours(output, name, form):
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
    return f"model_{plain}" if plain[0].isdigit() or plain in OURS else plain
