"""Effect: what a statement reads and writes, and whether the turns of loops can tell each other's doings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bimetal.targets.loops import (
    At,
    Buf,
    Call,
    Expr,
    For,
    If,
    Let,
    Lin,
    Note,
    Read,
    Ref,
    Set,
    Stmt,
    Store,
    Var,
    parts,
    statements,
    value_of,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A use of a buffer; `index` is None where a kernel takes all of it."""

    buf: Buf
    index: Lin | None
    writes: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """The names a statement reads and writes (its own loop variables left out), and the memory it uses.

    `used` and `changed` are the space and name of the buffers among `places`, and of those that it writes.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    places: tuple[Place, ...] = ()
    used: frozenset[tuple[str, str]] = field(init=False)
    changed: frozenset[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        used = frozenset((p.buf.space, p.buf.name) for p in self.places)
        changed = frozenset((p.buf.space, p.buf.name) for p in self.places if p.writes)
        object.__setattr__(self, "used", used)
        object.__setattr__(self, "changed", changed)

    def conflicts(self, other: Effect) -> bool:
        """Say whether two statements must stay in their order."""
        return not (
            self.writes.isdisjoint(other.reads)
            and self.writes.isdisjoint(other.writes)
            and self.reads.isdisjoint(other.writes)
            and self.changed.isdisjoint(other.used)
            and self.used.isdisjoint(other.changed)
        )

    def with_(self, other: Effect) -> Effect:
        """Return the effect of both statements."""
        return Effect(self.reads | other.reads, self.writes | other.writes, self.places + other.places)


def effect_of(statement: Stmt) -> Effect:
    """Return what a statement does, all that is in it included."""
    reads: set[str] = set()
    writes: set[str] = set()
    own: set[str] = set()
    for inner in statements((statement,)):
        match inner:
            case For(variable=name):
                own.add(name)
            case Let(name=name) | Var(name=name) | Set(name=name):
                writes.add(name)
            case Store(index=index):
                reads |= _terms(index)
            case If() | Call() | Note():
                pass
        value = value_of(inner)
        for part in parts(value) if value is not None else ():
            reads |= _named(part)
    return Effect(frozenset(reads - own), frozenset(writes), tuple(places_of(statement)))


def places_of(statement: Stmt) -> Iterator[Place]:
    """Yield every use of a buffer."""
    for inner in statements((statement,)):
        if isinstance(inner, Call):
            yield from (Place(buf, None, writes=False) for buf in inner.reads)
            yield Place(inner.buf, None, writes=True)
        value = value_of(inner)
        for part in parts(value) if value is not None else ():
            if isinstance(part, Read):
                yield Place(part.buf, part.index, writes=False)
        if isinstance(inner, Store):
            yield Place(inner.buf, inner.index, writes=True)


def apart_in_turns(first: For, second: For) -> bool:
    """Say whether two loops with the same variable may take each turn together.

    Neither may need, or change, what the other one names; and of a buffer that one of them writes, every
    turn of both must use elements that no other turn uses.
    """
    a, b = effect_of(first), effect_of(second)
    if a.writes & (b.reads | b.writes) or a.reads & b.writes:
        return False
    written = {
        p.buf.name: p.buf.space for e, o in ((a, b), (b, a)) for p in e.places if p.writes and _has(o, p.buf)
    }
    own = {s.name for loop in (first, second) for s in statements(loop.body) if isinstance(s, Let | Var)}
    spans = spans_in((*first.body, *second.body))
    for name, space in written.items():
        used = [p.index for e in (a, b) for p in e.places if (p.buf.name, p.buf.space) == (name, space)]
        known = [index for index in used if index is not None]
        if len(known) < len(used) or not apart(first.variable, known, spans, own, read=True):
            return False
    return True


def _has(effect: Effect, buf: Buf) -> bool:
    return (buf.space, buf.name) in effect.used


def spans_in(body: tuple[Stmt, ...]) -> dict[str, int]:
    """Return the greatest value of every loop variable of a body."""
    spans: dict[str, int] = {}
    for inner in statements(body):
        if isinstance(inner, For):
            spans[inner.variable] = max(inner.count - 1, spans.get(inner.variable, 0))
    return spans


def apart(name: str, indices: Iterable[Lin], spans: Mapping[str, int], own: set[str], *, read: bool) -> bool:
    """Say whether different turns of the loop over `name` use different elements.

    Every element is written once in a nest of loops; where one is read too, the elements of a turn must
    lie within one step of its variable.
    """
    forms: set[tuple[int, frozenset[tuple[str, int]]]] = set()
    low: list[int] = []
    high: list[int] = []
    for index in indices:
        terms = dict(index.terms)
        step = terms.pop(name, 0)
        inner = {n: f for n, f in terms.items() if n in spans}
        outer = frozenset((n, f) for n, f in terms.items() if n not in spans)
        if not step or any(n in own for n, _ in outer):
            return False
        forms.add((step, outer))
        reach = [f * spans[n] for n, f in inner.items()]
        low.append(index.const + sum(min(r, 0) for r in reach))
        high.append(index.const + sum(max(r, 0) for r in reach))
    if not read:
        return True
    return len(forms) == 1 and max(high) - min(low) < abs(next(iter(forms))[0])


def _named(expr: Expr) -> set[str]:
    if isinstance(expr, Ref):
        return {expr.name}
    return _terms(expr.index) if isinstance(expr, At | Read) else set()


def _terms(index: Lin) -> set[str]:
    return {name for name, _ in index.terms}
