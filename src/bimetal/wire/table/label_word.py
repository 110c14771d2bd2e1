"""Label word: whether the words in a label column can be told apart into healthy and not, or are a slip."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.cell import Marks, number_of
from bimetal.wire.table.label import FAULTY, HEALTHY, MOST_CLASSES

YES = frozenset(("1", "true", "yes", "y", "t", "on", "positive"))
NEGATED = ("ab", "un", "not", "non", "in", "dis")
"""A word that begins so means the opposite of what follows, and is no slip of it."""
SHORTEST = 4
SHOWN = 8
LONGEST = 40
HINT = "Healthy rows have 0, false, no, normal, ok, healthy or nothing there"


def check_words(words: Mapping[str, int], column: str, where: str) -> list[str]:
    """Return notes on how the words of a label column are taken; `words` says how often each is there.

    Raises BadInput for a measurement, for words none of which is healthy, and for one that looks like a
    slip of a healthy one: all of its rows would count as faulty.
    """
    read = {w: v for w in words if w not in FAULTY and (v := number_of(w, Marks())) is not None}
    numbers = {w: v for w, v in read.items() if v == v}
    if len(numbers) > MOST_CLASSES or any(v != int(v) for v in numbers.values() if abs(v) < 1e15):
        raise BadInput(
            f"{column!r} holds measurements, not labels: {_shown(numbers)}", where=where, hint=HINT
        )
    named = [w for w in words if w and w not in read and w not in HEALTHY]
    for word in named:
        meant = _slip(word)
        if meant:
            raise BadInput(
                f"{words[word]:,} labels in {column!r} are {word[:LONGEST]!r}; there are: {_shown(words)}",
                where=where,
                hint=f"Did you mean {meant!r}?",
            )
    blank = [w for w, v in read.items() if v != v and w not in HEALTHY - {""}]
    told = any(w in HEALTHY - {""} or numbers.get(w) == 0 for w in words)
    healthy = told or blank or set(numbers.values()) == {1.0, -1.0}
    strange = [w for w in named if w not in FAULTY | YES]
    if not healthy and (strange or set(numbers.values()) - {1.0}):
        raise BadInput(
            f"no label in {column!r} says that a row is healthy; there are: {_shown(words)}",
            where=where,
            hint=HINT,
        )
    notes = [f"rows labelled {_shown(dict.fromkeys(strange))} count as faulty"] if strange else []
    if blank and told:
        notes.append(f"{sum(words[w] for w in blank):,} rows have no label, and count as healthy")
    return notes


def _slip(word: str) -> str:
    """Return the healthy word that was probably meant, "" for none."""
    if len(word) < SHORTEST or word in FAULTY | YES or word.startswith(NEGATED):
        return ""
    near = difflib.get_close_matches(word, [w for w in HEALTHY if len(w) >= SHORTEST], n=1, cutoff=0.8)
    return near[0] if near else ""


def _shown(words: Mapping[str, object]) -> str:
    some = [repr(w[:LONGEST]) for w in list(words)[:SHOWN]]
    return ", ".join(some) + (f" and {len(words) - SHOWN} more" if len(words) > SHOWN else "")
