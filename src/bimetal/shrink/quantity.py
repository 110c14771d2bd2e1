"""Quantity: sizes and counts as people write them: 32KiB, 8k, 500k, 1M."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from bimetal.nouns.errors import BadInput

MOST = 2**40
"""The largest budget that is taken for one."""

_COUNTS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}
_BYTES = {
    **_COUNTS,
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}


def parse_bytes(text: str, what: str) -> int:
    """Return a size in bytes: `32KiB` is 32768, `8k` and `8kB` are 8000, `512` is 512.

    `what` names it in a message. Raises BadInput for anything else, for sizes of 0 and below, and for
    `K` and `KB`, which mean 1000 to some and 1024 to others.
    """
    return _parse(text, what, _BYTES, "32KiB, 8kB, 512")


def parse_count(text: str, what: str) -> int:
    """Return a number of things: `500k` is 500000, `1.5M` is 1500000; raises BadInput as parse_bytes does."""
    return _parse(text, what, _COUNTS, "500k, 1.5M, 2000")


def _parse(text: str, what: str, units: Mapping[str, int], examples: str) -> int:
    found = re.fullmatch(r"(-?[0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]*)", text.strip())
    if found is None:
        raise BadInput(f"{text[:40]!a} is not a size", where=what, hint=f"Write it like {examples}")
    number, unit = Fraction(found[1]), found[2]
    if unit not in units:
        doubt = unit in ("K", "KB", "m", "mb", "kb", "KIB", "kib", "mB", "Mb", "kib")
        hint = "k is 1000 and KiB is 1024" if doubt and "KiB" in units else f"Write it like {examples}"
        raise BadInput(f"{unit[:20]!a} is not a unit", where=what, hint=hint)
    value = number * units[unit]
    if value.denominator != 1:
        raise BadInput(
            f"{text.strip()[:40]} is not a whole number", where=what, hint=f"Write it like {examples}"
        )
    if value <= 0:
        raise BadInput("it must be more than 0", where=what, hint="Leave it out for no limit")
    if value > MOST:
        raise BadInput(f"{text.strip()[:40]} is more than any microcontroller has", where=what)
    return int(value)
