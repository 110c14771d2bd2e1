"""Rule: which kept readings must go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """Readings of this device and this signal from before this instant; None means any.

    Erasure is `Rule(device=...)`, retention `Rule(signal=..., before_ns=...)`.
    """

    device: str | None = None
    signal: str | None = None
    before_ns: int | None = None

    def touches(self, device: str, signal: str, first_ns: int) -> bool:
        """Whether any reading of a series that begins at `first_ns` must go."""
        return (
            (self.device is None or self.device == device)
            and (self.signal is None or self.signal == signal)
            and (self.before_ns is None or first_ns < self.before_ns)
        )
