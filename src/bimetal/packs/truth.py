"""Truth: what a simulator did on purpose, so that what a program found can be judged."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns import Cause


@dataclass(frozen=True, slots=True)
class Truth:
    """One fault of one device: when, of what kind, and which signals show it.

    Times are nanoseconds since 1970 UTC. From `end_ns` on the cause is gone; from `settled_ns` on its
    effects are too (heat takes time to leave), so only an alarm that begins after it is a false one.
    """

    device: str
    kind: str
    start_ns: int
    end_ns: int
    settled_ns: int
    signals: tuple[str, ...]
    cause: Cause
