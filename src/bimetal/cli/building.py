"""Building: the work of `bimetal build`, imported when it is called."""

from __future__ import annotations

import re
from pathlib import Path

from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import read
from bimetal.learn.card import card_of
from bimetal.nouns.device import FLEET
from bimetal.targets import c99_project, wasm_project
from bimetal.targets.vectors import Vectors, decode, make_vectors


def write_target(model: Path, target: str, output: Path, device: str | None) -> list[str]:
    """Write the folder and return the names of its files; raises NotFound for an unknown device."""
    bundle = read(model).bundle
    block = bundle.known_block(device) if device else bundle.blocks[FLEET]
    vectors = _vectors(bundle, block, device)
    project = c99_project if target == "c99" else wasm_project
    project.emit(bundle.program, block, vectors, str(output), _identifier(model.stem))
    return sorted(p.name for p in output.iterdir())


def _vectors(bundle: Bundle, block: bytes, device: str | None) -> Vectors:
    """The model's own vectors are for the fleet; a device's parameters get theirs from the law."""
    if not device:
        return decode(bundle.program, bundle.vectors)
    card = card_of(bundle.card)
    usual = {s.input: (u.low, u.high) for s, u in zip(card.signals, card.usual_of(device), strict=True)}
    return make_vectors(bundle.program, block, seed=0, usual=usual)


def _identifier(stem: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")[:32] or "model"
    return f"model_{plain}" if plain[0].isdigit() else plain
