"""Arena: where each scratch buffer of a stage lies, so that lives that do not meet share memory.

First fit by life. A buffer may also take the very place of another that is read for the last time in
the loop that writes it, if each turn reads exactly the element it then writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bimetal.program.node import DTYPES
from bimetal.targets.loops import Buf, Call, For, If, Lin, Read, Stmt, Store, parts, value_of, variable

Path = tuple[tuple[int, int, str], ...]
"""The loops around a statement, outermost first: start and end (in statements), variable."""


@dataclass(frozen=True, slots=True)
class Access:
    """One place where a buffer is read or written."""

    at: int
    path: Path
    index: Lin
    writes: bool


@dataclass(slots=True)
class Life:
    """From its first to its last use, in statements; a use in a loop counts for the whole loop.

    `width` is the bytes of one element; `anew` names the loops whose every turn is a life of its own.
    """

    buf: Buf
    width: int
    accesses: list[Access] = field(default_factory=list[Access])
    start: int = 0
    end: int = 0
    anew: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        """Bytes of the buffer."""
        return self.width * self.buf.size

    def measure(self) -> None:
        """Find the start and the end.

        A loop that holds all uses does not prolong a life, if each turn starts afresh: where its
        variable tells which element is used, other turns use others.
        """
        around = 0
        paths = [a.path for a in self.accesses]
        walked = {name for a in self.accesses for name, _ in a.index.terms}
        while all(len(p) > around for p in paths) and len({p[around] for p in paths}) == 1:
            if paths[0][around][2] in walked:
                break
            around += 1
        ends = [a.path[around][:2] if len(a.path) > around else (a.at, a.at) for a in self.accesses]
        self.start, self.end = min(e[0] for e in ends), max(e[1] for e in ends)
        self.anew = frozenset(name for _, _, name in paths[0][:around])


def packed(dtype: str) -> int:
    """Return the bytes of an element as one device keeps it."""
    return DTYPES[dtype].itemsize


def arrange(body: tuple[Stmt, ...], width: Callable[[str], int] = packed) -> tuple[dict[str, int], int]:
    """Return the first byte of every scratch buffer, and how many bytes there are in all.

    `width` gives the bytes of an element by its type.
    """
    lives = sorted(lives_of(body, width), key=lambda x: (x.start, -x.size, x.buf.name))
    by_time = _placed(lives)
    # A large buffer in the middle may find no gap that is left: then the largest choose first, where that
    # saves an eighth. For less it is not worth that in-place writing, which saves code, is rarer then.
    by_size = _placed(sorted(lives, key=lambda x: -x.size))
    return by_size if 8 * by_size[1] < 7 * by_time[1] else by_time


def _placed(lives: list[Life]) -> tuple[dict[str, int], int]:
    """Give every buffer, in this order, the first place that is free for its life."""
    placed: list[tuple[int, Life]] = []
    for life in lives:
        others = [(at, other) for at, other in placed if other.start <= life.end and life.start <= other.end]
        spots = sorted({0, *(at for at, _ in others), *(at + other.size for at, other in others)})
        aligned = [-(-spot // life.width) * life.width for spot in spots]
        placed.append((next(s for s in aligned if _free(s, life, others)), life))
    total = max((at + life.size for at, life in placed), default=0)
    return {life.buf.name: at for at, life in placed}, -(-total // 8) * 8


def lives_of(body: tuple[Stmt, ...], width: Callable[[str], int] = packed) -> list[Life]:
    """Return the life of every scratch buffer."""
    lives: dict[str, Life] = {}
    for buf, access in _accesses(body, (), [0]):
        if buf.space == "scratch":
            lives.setdefault(buf.name, Life(buf, width(buf.dtype))).accesses.append(access)
    for life in lives.values():
        life.measure()
    return list(lives.values())


def _free(spot: int, life: Life, others: list[tuple[int, Life]]) -> bool:
    """Say whether a buffer can lie at a spot beside others that live at the same time."""
    for at, other in others:
        if at < spot + life.size and spot < at + other.size and not (at == spot and _follows(life, other)):
            return False
    return True


def _follows(new: Life, old: Life) -> bool:
    """Say whether a buffer can replace another in place, element by element."""
    if new.width != old.width or new.start > old.end:
        return False
    inside = [a for a in old.accesses if new.start <= a.at]
    writes = [a for a in new.accesses if a.at <= old.end]
    if not all(a.writes for a in writes) or any(a.writes for a in inside):
        return False
    anew = new.anew & old.anew
    return all(_same_turn(read, write, anew) for read in inside for write in writes)


def _same_turn(read: Access, write: Access, anew: frozenset[str]) -> bool:
    """Say whether a read comes before a write of the same element, in the same turn of the same loops.

    No later turn may read the element again: its index tells all turns apart in which both lives go on.
    """
    shared = {loop[2] for k, loop in enumerate(read.path) if write.path[k : k + 1] == (loop,)}
    walked = {name for name, _ in read.index.terms}
    return read.at <= write.at and read.index == write.index and walked <= shared <= walked | anew


def _accesses(body: tuple[Stmt, ...], path: Path, clock: list[int]) -> Iterator[tuple[Buf, Access]]:
    """Yield every use of every buffer; `clock` counts statements."""
    for statement in body:
        clock[0] += 1
        if isinstance(statement, For):
            start = clock[0]
            loop = (start, start + _length(statement.body), statement.variable)
            yield from _accesses(statement.body, (*path, loop), clock)
            continue
        if isinstance(statement, Call):
            whole = variable("call")
            yield from ((buf, Access(clock[0], path, whole, writes=False)) for buf in statement.reads)
            yield statement.buf, Access(clock[0], path, whole, writes=True)
            continue
        value = value_of(statement)
        for part in parts(value) if value is not None else ():
            if isinstance(part, Read):
                yield part.buf, Access(clock[0], path, part.index, writes=False)
        if isinstance(statement, Store):
            yield statement.buf, Access(clock[0], path, statement.index, writes=True)
        if isinstance(statement, If):
            yield from _accesses(statement.body, path, clock)


def _length(body: tuple[Stmt, ...]) -> int:
    return sum(1 + (_length(s.body) if isinstance(s, For | If) else 0) for s in body)
