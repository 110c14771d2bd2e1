"""Asked: which readings somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass

EARLIEST_NS = -(1 << 63)
LATEST_NS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Readings of these devices and signals (None: of all), with since <= time < until."""

    devices: tuple[str, ...] | None = None
    signals: tuple[str, ...] | None = None
    since_ns: int = EARLIEST_NS
    until_ns: int = LATEST_NS

    def names(self, device: str, signal: str) -> bool:
        """Whether readings of a series are wanted, at some time or other."""
        return (self.devices is None or device in self.devices) and (
            self.signals is None or signal in self.signals
        )
