"""Purpose file: which signals are kept why and for how long, in TOML.

[monitoring]
ground = "contract"
keep_days = 400
signals = ["vibration", "temperature"]

[comfort]
ground = "consent"
keep_days = 30
signals = ["*"]                            # all others
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bimetal.keep.disk import in_words
from bimetal.keep.retain import oldest_ns
from bimetal.nouns.errors import BadInput
from bimetal.nouns.purpose import Purpose

OTHERS = "*"


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    ground: str
    keep_days: float
    signals: list[str]


@dataclass(frozen=True, slots=True)
class Purposes:
    """The purpose of each signal by its name; that of `*` is for those which are not named."""

    by_signal: Mapping[str, Purpose]

    def of(self, signals: Iterable[str]) -> dict[str, Purpose]:
        """Return the purposes of these signals, without those that have none."""
        found = {name: self.by_signal.get(name) or self.by_signal.get(OTHERS) for name in signals}
        return {name: purpose for name, purpose in found.items() if purpose}

    def oldest_ns(self, now_ns: int) -> int:
        """Return the instant before which some purpose no longer covers readings."""
        return max(oldest_ns(purpose, now_ns) for purpose in self.by_signal.values())


def read_purposes(path: Path) -> Purposes:
    """Read a file of purposes; raises NotFound, or BadInput when it is none or a signal has two."""
    with in_words(path):
        content = path.read_bytes()
    where, hint = str(path), 'Write [name] with ground = "...", keep_days = 30 and signals = ["*"]'
    try:
        tables = msgspec.convert(tomllib.loads(content.decode()), dict[str, _Table])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"this is no file of purposes: {error}", where=where, hint=hint) from None
    found: dict[str, Purpose] = {}
    for name, table in tables.items():
        purpose = Purpose(name, table.ground, table.keep_days)
        for signal in table.signals:
            if signal in found:
                raise BadInput(f"{signal!a} is kept for two purposes", where=where, hint="Choose one")
            found[signal] = purpose
    if not found:
        raise BadInput("no signal is kept for any purpose here", where=where, hint=hint)
    return Purposes(found)
