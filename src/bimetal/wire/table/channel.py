"""Channel: a signal and where in a table its values come from; which columns become one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.table.column import Column
from bimetal.wire.table.expect import Match, match_signals
from bimetal.wire.table.find import find_column, seek_column
from bimetal.wire.table.long import LongForm
from bimetal.wire.table.name import read_name
from bimetal.wire.table.sentinel import find_sentinels
from bimetal.wire.table.shape import Dropped, listed
from bimetal.wire.table.sift import Ground, sift, text_reason

MOST_SIGNALS = 512
MOST_COLUMNS = 4096
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Channel:
    """A signal and where its values come from: a column, a scale, a number that means missing.

    `place` is -1 for a signal that the table does not have; in a long table it is the
    signal's number among the names.
    """

    signal: Signal
    place: int
    switch: bool = False
    coded: float = float("nan")
    factor: float = 1.0
    offset: float = 0.0


@dataclass(slots=True)
class Choice:
    """The channels chosen, the columns left out, and what a user should know about it."""

    channels: list[Channel]
    dropped: list[Dropped]
    notes: list[str]


def choose_channels(
    columns: Sequence[Column],
    free: Sequence[Column],
    ground: Ground,
    asked: Sequence[str] | None,
    where: str,
) -> Choice:
    """Choose the columns to learn from, those a user `asked` for or by sifting; `free` ones have no role yet.

    Raises BadInput when none is left, when there are too many, or when one asked for has no numbers.
    """
    if asked is not None:
        kept = _asked(columns, free, asked, ground, where)
        places = {c.place for c in kept}
        dropped = [Dropped(c.name.text, "not asked for") for c in free if c.place not in places]
    else:
        _refuse_many(sum(c.is_number for c in free), where, MOST_COLUMNS)
        kept, dropped = sift(free, ground)
    _refuse_many(len(kept), where, MOST_SIGNALS)
    if not kept:
        raise BadInput(
            _nothing_left(free, dropped),
            where=where,
            hint="Give a table with a column of numbers that change",
        )
    channels, notes = _channels(kept)
    return Choice(channels, dropped, notes)


def expect_channels(
    free: Sequence[Column], signals: Sequence[Signal], where: str, *, headed: bool, taught: Sequence[str] = ()
) -> Choice:
    """Find the columns of a trained model's signals; `taught` are headings that were there in training.

    Raises BadInput when most are not there.
    """
    candidates = free if headed else [c for c in free if c.is_number or not c.said]
    matches, notes = match_signals(candidates, signals, where, headed=headed, taught=taught)
    coded = find_sentinels([m.column for m in matches if m.column is not None])
    coded |= {m.column.place: m.signal.missing for m in matches if m.column and m.signal.missing is not None}
    return Choice([_matched(m, coded) for m in matches], [], notes)


def long_channels(
    long: LongForm, free: Sequence[Column], signals: Sequence[Signal] | None, where: str
) -> Choice:
    """Take the signals of a long table from its names, or those of a trained model."""
    notes = ["one reading in each row: rows of the same instant are put together"]
    used = {long.name_place, long.value_place}
    dropped = [Dropped(c.name.text, "beside the readings") for c in free if c.place not in used]
    if signals is None:
        _refuse_many(len(long.names), where, MOST_SIGNALS)
        named = [(read_name(n), n, unit) for n, unit in zip(long.names, long.units, strict=True)]
        chosen = [Signal(name.text or n, unit or name.unit, name.quantity) for name, n, unit in named]
        return Choice([Channel(s, place) for place, s in enumerate(chosen)], dropped, notes)
    value = next(c for c in free if c.place == long.value_place)
    stand_ins = [replace(value, place=i, heading=n, name=read_name(n)) for i, n in enumerate(long.names)]
    matches, said = match_signals(stand_ins, signals, where, headed=True)
    return Choice([_matched(m, {}) for m in matches], dropped, notes + said)


def _matched(match: Match, coded: dict[int, float]) -> Channel:
    if match.column is None:
        return Channel(match.signal, -1)
    code = coded.get(match.column.place, float("nan"))
    return Channel(match.signal, match.column.place, match.column.switch, code, match.factor, match.offset)


def _asked(
    columns: Sequence[Column], free: Sequence[Column], names: Sequence[str], ground: Ground, where: str
) -> list[Column]:
    places = {c.place for c in free}
    for name in names:
        spoken = seek_column(columns, name)
        if spoken is not None and spoken.place not in places:
            raise BadInput(
                f"the column {spoken.heading!r} tells the time, the device or the label, and is no signal",
                where=where,
                hint="Leave it out of --signals",
            )
    kept = list({(c := find_column(free, n, where)).place: c for n in names}.values())
    for column in kept:
        if not column.is_number:
            raise BadInput(
                f"the column {column.heading!r} cannot be a signal: {text_reason(column, ground.starts)}",
                where=where,
                hint="Name columns that hold numbers",
            )
    return kept


def _refuse_many(count: int, where: str, most: int) -> None:
    if count > most:
        raise BadInput(
            f"it has {count:,} columns of numbers, and a model takes at most {MOST_SIGNALS} signals",
            where=where,
            hint="Choose some with --signals a,b,c or leave some out with --ignore",
        )


def _nothing_left(free: Sequence[Column], dropped: Sequence[Dropped]) -> str:
    if not free:
        return "there is no column beside the time"
    shown = "; ".join(f"{d.name}: {d.reason}" for d in dropped[:4])
    return f"no column is a signal ({shown}{f'; and {len(dropped) - 4} more' if len(dropped) > 4 else ''})"


def _channels(kept: Sequence[Column]) -> tuple[list[Channel], list[str]]:
    coded = find_sentinels(kept)
    notes: list[str] = []
    for value in sorted(set(coded.values())):
        names = [c.name.text for c in kept if coded.get(c.place) == value]
        notes.append(f"{value:g} is taken to mean missing in {listed(names, SHOWN)}")
    signals = [
        Signal(name, c.name.unit, c.name.quantity, missing=coded.get(c.place))
        for name, c in zip(_unlike(kept), kept, strict=True)
    ]
    nan = float("nan")
    return [
        Channel(s, c.place, c.switch, coded.get(c.place, nan)) for s, c in zip(signals, kept, strict=True)
    ], notes


def _unlike(columns: Sequence[Column]) -> list[str]:
    """Name signals so that no two are called the same: with the unit, else with a number."""
    texts = Counter(c.name.text for c in columns)
    names = [
        c.name.text if c.name.text and texts[c.name.text] == 1 else c.heading or f"c{c.place + 1}"
        for c in columns
    ]
    used: set[str] = set()
    for place, name in enumerate(names):
        count, unlike = 1, name
        while unlike in used:
            count += 1
            unlike = f"{name}_{count}"
        used.add(unlike)
        names[place] = unlike
    return names
