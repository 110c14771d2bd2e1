"""Join: loops that take as many turns and read the same elements become one loop, with every bit as before.

Fusion shares a nest among letters of one shape; sums and scans come out of it with loops of their own. Here
a loop moves up to an earlier one of the same length if what lies between can make room, and if no turn can
tell: neither needs what the other has summed up, and what one writes the other touches in the same turn
alone. What both read is then read once (loop fusion with scalar replacement: Callahan, Carr and Kennedy,
"Improving register allocation for subscripted variables", PLDI 1990).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from bimetal.targets.effect import Effect, apart_in_turns, effect_of, places_of
from bimetal.targets.loops import Buf, Expr, For, If, Let, Lin, Note, Read, Ref, Stmt, Store
from bimetal.targets.rename import renamed

LARGEST = 40
"""Statements of a loop at most: more sums at once than a processor has registers gain nothing."""


def joined(body: Iterable[Stmt]) -> tuple[Stmt, ...]:
    """Return statements that do the same with fewer loops."""
    found: list[_Item] = []
    for item in _items(body):
        if not _placed(found, item):
            found.append(item)
    return tuple(s for item in found for s in (*item.notes, item.statement) if s is not None)


@dataclass(slots=True)
class _Item:
    """A statement, the notes before it, and what it touches."""

    statement: Stmt | None
    notes: list[Note] = field(default_factory=list[Note])
    effect: Effect = field(default_factory=Effect)


def _items(body: Iterable[Stmt]) -> Iterator[_Item]:
    notes: list[Note] = []
    for statement in body:
        if isinstance(statement, Note):
            notes.append(statement)
            continue
        if isinstance(statement, For):
            statement = For(statement.variable, statement.count, joined(statement.body))
        if isinstance(statement, If):
            statement = If(statement.condition, joined(statement.body))
        yield _Item(statement, notes, effect_of(statement))
        notes = []
    if notes:
        yield _Item(None, notes)


def _placed(found: list[_Item], item: _Item) -> bool:
    """Let a loop become part of the nearest earlier one that it can, and say whether there was one.

    Loops around loops stay: what they hold would compete for registers with the inner ones.
    """
    loop = item.statement
    if not _is_inmost(loop):
        return False
    for k in range(len(found) - 1, -1, -1):
        first = found[k].statement
        if not _is_inmost(first) or first.count != loop.count:
            continue
        own = For(first.variable, loop.count, renamed(loop.body, {loop.variable: first.variable}))
        before = _before(found[k + 1 :], item)
        if any(found[k].effect.conflicts(other.effect) for other in before):
            continue
        if not (_elements(first) & _elements(own) and apart_in_turns(first, own)):
            continue
        both = _once((*first.body, *item.notes, *own.body))
        if len(both) > LARGEST:
            continue
        whole = For(first.variable, first.count, both)
        after = [other for other in found[k + 1 :] if other not in before]
        found[k:] = [*before, _Item(whole, found[k].notes, effect_of(whole)), *after]
        return True
    return False


def _is_inmost(statement: Stmt | None) -> TypeGuard[For]:
    return isinstance(statement, For) and not any(isinstance(s, For) for s in statement.body)


def _before(between: Sequence[_Item], item: _Item) -> list[_Item]:
    """Return what of the statements in between must come before a loop, in order."""
    needed: list[_Item] = []
    later = item.effect
    for other in reversed(between):
        if other.effect.conflicts(later):
            needed.append(other)
            later = later.with_(other.effect)
    return needed[::-1]


def _once(body: Sequence[Stmt]) -> tuple[Stmt, ...]:
    """Return the statements of a loop; an element that is known in a turn is not read again."""
    known: dict[tuple[Buf, Lin], Ref] = {}
    fixed: set[str] = set()
    same: dict[str, str] = {}
    found: list[Stmt] = []
    for given in body:
        (statement,) = renamed((given,), same)
        if isinstance(statement, Let) and isinstance(statement.value, Read):
            at = statement.value.buf, statement.value.index
            if at in known:
                same[statement.name] = known[at].name
                continue
            known[at] = Ref(statement.name, statement.value.dtype)
        for place in places_of(statement):
            if place.writes:
                known = {at: ref for at, ref in known.items() if at[0] != place.buf}
        if isinstance(statement, Let):
            fixed.add(statement.name)
        elif isinstance(statement, Store) and _is_fixed(statement.value, statement.buf.dtype, fixed):
            known[statement.buf, statement.index] = statement.value
        found.append(statement)
    return tuple(found)


def _is_fixed(value: Expr, dtype: str, fixed: set[str]) -> TypeGuard[Ref]:
    """Say whether a value is one that a turn has named, as memory holds it."""
    return isinstance(value, Ref) and value.name in fixed and value.dtype == dtype


def _elements(loop: For) -> set[tuple[Buf, Lin | None]]:
    return {(place.buf, place.index) for place in places_of(loop)}
