"""Stranger: signals that come in and that no model knows: each is told of once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bimetal.wire.table.shape import listed

MOST = 1000
"""So many names are remembered; of more nothing is said."""
SHOWN = 6


@dataclass(slots=True)
class Strangers:
    """Remembers which signals it has met."""

    met: set[str] = field(default_factory=set[str])

    def words(self, names: Iterable[str], watched: Iterable[Iterable[str]]) -> str:
        """Say which of the new signals no model watches, of those that `watched` lists; empty where none."""
        fresh = [name for name in names if name not in self.met]
        if not fresh or len(self.met) >= MOST:
            return ""
        models = [set(signals) for signals in watched]
        self.met.update(fresh)
        strange = [name for name in fresh if models and not any(name in known for known in models)]
        return f"Kept, but not watched, for no model knows them: {listed(strange, SHOWN)}." if strange else ""
