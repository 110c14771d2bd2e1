"""Fitting: whether a model fits where it is to run, measured where a compiler is, and what would fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from bimetal.bundle.bundle import Bundle
from bimetal.cli.toolbox import LocalTools
from bimetal.learn.card import card_of
from bimetal.nouns.errors import BadInput, GateNotMet, NotFound, Unsupported
from bimetal.program.block import unpack
from bimetal.program.program import Program
from bimetal.shrink.alternative import Alternative, alternatives, other_board
from bimetal.shrink.board import BOARDS, Board, board_of
from bimetal.shrink.budget import Fit, Limits, Need, fit, fit_board, need_of
from bimetal.shrink.certificate import figures, judgement, lacks
from bimetal.shrink.machine import MACHINES, Machine, machine_of, nearest
from bimetal.shrink.measure import Measured, measure
from bimetal.shrink.planting import Planted, in_order, plantings, proven
from bimetal.shrink.quantity import parse_bytes, parse_count
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.vectors import Vectors

NAME = "model"
"""What a program is called while it is weighed."""

MOST_TRIED = 3
"""So many forms of forests are compiled, those that look best."""

NO_C = ("wasm", "onnx", "litert")
WITHOUT_BOARD = ("c99", *NO_C)


@dataclass(frozen=True, slots=True)
class Room:
    """Where a model is to run: a processor, a board of the table if one was named, and what there is."""

    machine: Machine
    board: Board | None
    limits: Limits

    def fit(self, program: Program, block: bytes, period_s: float) -> Fit:
        """Hold a program with its parameters against it, measured where a compiler for it is here."""
        need = need_of(program)
        return self._told(need, period_s, *weighed(need, block, self.machine))

    def _told(self, need: Need, period_s: float, measured: Measured | None, why: str) -> Fit:
        found = self._held(need, period_s, measured)
        return replace(found, notes=(*found.notes, why)) if why else found

    def _held(self, need: Need, period_s: float, measured: Measured | None) -> Fit:
        if self.board is None:
            return fit(need, self.machine, self.limits, measured=measured)
        return fit_board(need, self.board, period_s=period_s, measured=measured, within=self.limits)

    def planted(self, forms: Forms, period_s: float) -> tuple[Planted, Fit]:
        """Return a model with its forests in the form that suits, and how it fits.

        That is the fastest form that fits, or the smallest where instructions are limited; the model as it
        came where it has no forests, and where nothing is limited. Raises Broken where a form says otherwise.
        """
        if not forms.others or (self.board is None and self.limits == Limits()):
            return forms.as_it_came, self._judged(forms, forms.as_it_came, period_s)
        told = [(p, self._held(forms.need(p), period_s, None)) for p in forms.others]
        thrifty = self.limits.instructions is not None
        tried = [(p, self._judged(forms, p, period_s)) for p, _ in in_order(told, thrifty)[:MOST_TRIED]]
        best, here = in_order(tried, thrifty)[0]
        which = "smallest" if thrifty or not here.fits else "fastest"
        note = f"its trees lie in the form {best.form}, the {which} of {len(forms.others)} there is room for"
        return forms.proven(best), replace(here, notes=(*here.notes, note))

    def _judged(self, forms: Forms, planted: Planted, period_s: float) -> Fit:
        return self._told(forms.need(planted), period_s, *forms.weighed(planted, self.machine))


class Forms:
    """A model in every form that its forests have room in: each lowered, weighed and proven once."""

    def __init__(self, program: Program, block: bytes, vectors: Vectors) -> None:
        self.as_it_came, *self.others = plantings(program, block)
        self._vectors = vectors
        self._needs: dict[str, Need] = {}
        self._weighed: dict[tuple[str, str], tuple[Measured | None, str]] = {}
        self._proven: set[str] = set()

    def need(self, planted: Planted) -> Need:
        """Return what a form takes, as far as it does not depend on the processor."""
        if planted.form not in self._needs:
            self._needs[planted.form] = need_of(planted.program)
        return self._needs[planted.form]

    def weighed(self, planted: Planted, machine: Machine) -> tuple[Measured | None, str]:
        """Return what a compiler says of a form, or None and why there is nothing it says."""
        key = planted.form, machine.name
        if key not in self._weighed:
            self._weighed[key] = weighed(self.need(planted), planted.block, machine)
        return self._weighed[key]

    def proven(self, planted: Planted) -> Planted:
        """Return a form once it has said the same as the model; raises Broken where it does not."""
        if planted.form not in self._proven:
            proven(self.as_it_came, planted, self._vectors)
            self._proven.add(planted.form)
        return planted


def room_of(target: str, board: str | None, sizes: dict[str, str | None]) -> Room | None:
    """Return where a model is to run, by what the user asked for; None where nothing is known of it.

    `sizes` are the texts of --flash, --ram and --instructions. Raises NotFound for a target or a board
    that there is none of, BadInput for a size that is none, or one that nothing can be held against.
    """
    limits = Limits(_size(sizes, "flash"), _size(sizes, "ram"), _size(sizes, "instructions"))
    if board is not None:
        found = board_of(board)
        if target not in (*WITHOUT_BOARD, found.machine.name) or target in NO_C:
            raise BadInput(
                f"{found.name} has a {found.machine.name}, not a {target[:40]}", hint="Leave --target out"
            )
        return Room(found.machine, found, limits)
    if target not in WITHOUT_BOARD:
        return Room(_machine(target), None, limits)
    if limits != Limits():
        raise BadInput(
            "a budget needs a processor to be held against",
            hint=f"Add --board NAME (see: bimetal boards) or --target {', '.join(MACHINES)}",
        )
    return None


def _size(sizes: dict[str, str | None], name: str) -> int | None:
    text = sizes[name]
    if text is None:
        return None
    return parse_count(text, f"--{name}") if name == "instructions" else parse_bytes(text, f"--{name}")


def _machine(target: str) -> Machine:
    try:
        return machine_of(target)
    except NotFound:
        known = dict.fromkeys((*WITHOUT_BOARD, *MACHINES))
        raise NotFound(
            f"there is no target {target[:40]!a}", hint=nearest(target, known, "Targets")
        ) from None


def weighed(need: Need, block: bytes, machine: Machine) -> tuple[Measured | None, str]:
    """Return what a compiler says of a program, or None and why there is nothing it says."""
    try:
        return measure(sources_of(need.program, need.lowered, block, NAME), NAME, machine, LocalTools()), ""
    except Unsupported as error:
        return None, f"flash and stack are estimated: {error.what}. {error.hint}".rstrip(". ")


def fits_of(forms: Forms, period_s: float) -> list[Fit]:
    """Hold a model against every board as `bimetal build` would, its forests in the form that suits there."""
    return [Room(b.machine, b, Limits()).planted(forms, period_s)[1] for b in BOARDS.values()]


def what_would_fit(bundle: Bundle, forms: Forms, room: Room, here: Fit) -> Iterator[Alternative]:
    """Yield what would fit where a model does not, with figures."""
    card = card_of(bundle.card)
    names = [s.name for s in card.signals]

    def judge(program: Program, other: bytes) -> Fit:
        return room.fit(program, other, card.period_s)

    model = forms.as_it_came
    values = unpack(model.program, model.block)
    yield from alternatives(forms.need(model), values, names, here, judge)
    yield from other_board(fits_of(forms, card.period_s), room.board)


def refusal(where: str, here: Fit, found: list[Alternative]) -> GateNotMet:
    """Return the sentence that says what does not fit, and what would."""
    would = "; or ".join(f"{a.what}{f' ({figures(a.fit)})' if a.fit else ''}, by {a.how}" for a in found)
    hint = f"What would fit: {would}" if would else "Nothing smaller was found that would fit"
    return GateNotMet(f"it does not fit {here.name}: {lacks(here)}", where=where, hint=hint)


def plain(found: list[Alternative]) -> list[dict[str, Any]]:
    """Return alternatives as plain texts and numbers."""
    return [{"what": a.what, "how": a.how, "fit": judgement(a.fit) if a.fit else None} for a in found]
