"""Showing: the work of `bimetal show`, imported when it is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bimetal.bundle.seal import Sealed
from bimetal.cli.opening import signer_of
from bimetal.cli.promise import promise_lines
from bimetal.cli.standing import span_text, standout_lines
from bimetal.explain.sentence import number_text, unit_text
from bimetal.learn.card import Card, card_of
from bimetal.learn.usual import Usual
from bimetal.nouns.device import FLEET
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.trust.key import fingerprint
from bimetal.wire.table.shape import counted, length, listed, span

WIDEST = 40


def lines(sealed: Sealed, where: str) -> list[str]:
    """Say what a model is for, whose it is, what it learned from, what is usual, and what it cannot do."""
    card, place = card_of(sealed.bundle.card), layout_of(sealed.bundle.program)
    signer = f"{signer_of(sealed) or 'a key not known here'} ({fingerprint(sealed.signer)})"
    program = digest(sealed.bundle.program).hex()[:16]
    return [
        f"{where}: {card.purpose}, made by bimetal {sealed.bundle.made_by}",
        f"signed by {signer}, program {program}",
        _seen(card),
        f"  in {listed(card.sources, 6)}",
        *promise_lines(card),
        *standout_lines(card),
        *([f"left out as faults: {listed([span_text(s) for s in card.left_out], 6)}"] * bool(card.left_out)),
        f"signals, {len(card.signals)}, and between what they usually are:",
        *_usual(card, card.usual[FLEET]),
        *_devices(card),
        f"each takes {place.state.size:,} bytes of state and {place.params.size:,} of parameters; "
        f"profile {card.profile}",
        *(f"limit: {limit}" for limit in card.limits if not card.promise or card.promise not in limit),
    ]


def _seen(card: Card) -> str:
    """Say which rows a model has seen; one that was trained elsewhere knows no devices and no times."""
    if not card.devices:
        return f"was shown {counted(card.rows, 'row')}"
    devices = counted(len(card.devices), "device")
    period = f", every {length(card.period_s)}" if card.period_s else ""
    return f"learned from {counted(card.rows, 'row')} of {devices}{period}{span(card.first_ns, card.last_ns)}"


def _devices(card: Card) -> list[str]:
    many = f"devices, {len(card.devices)}: {listed(card.devices, 12)}"
    return [many if card.devices else "devices: any that has these signals"]


def _usual(card: Card, usual: Sequence[Usual]) -> list[str]:
    width = min(max(len(s.name) for s in card.signals), WIDEST)
    return [
        f"  {s.name:<{width}}  {_number(u.low, u)} to {_number(u.high, u)} {unit_text(s.unit)}".rstrip()
        for s, u in zip(card.signals, usual, strict=True)
    ]


def _number(value: float, usual: Usual) -> str:
    return number_text(value, usual.high - usual.low)


def figures(sealed: Sealed) -> dict[str, Any]:
    """Return the whole card with the program's digest and the signer's key, for programs."""
    card = card_of(sealed.bundle.card)
    return card.plain() | {"digest": digest(sealed.bundle.program).hex(), "signer": sealed.signer.hex()}
