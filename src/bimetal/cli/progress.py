"""Progress: one line on a terminal with a bar and the time left; nothing elsewhere."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

WIDTH = 28


@dataclass(slots=True)
class Progress:
    """A bar on standard error, drawn at most ten times a second and only on a terminal."""

    shown: bool = field(default_factory=lambda: sys.stderr.isatty())
    _stage: str = ""
    _began_s: float = 0.0
    _drawn_s: float = 0.0

    def __call__(self, stage: str, fraction: float) -> None:
        """Say that a stage is done to a fraction of 0..1."""
        now_s = time.monotonic()
        if stage != self._stage:
            self._stage, self._began_s = stage, now_s
        elif now_s - self._drawn_s < 0.1 and fraction < 1:
            return
        self._drawn_s = now_s
        if self.shown:
            sys.stderr.write(f"\r\x1b[K{self._line(min(max(fraction, 0.0), 1.0), now_s)}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the bar away."""
        if self.shown and self._stage:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _line(self, fraction: float, now_s: float) -> str:
        full = round(fraction * WIDTH)
        left = ""
        if 0.02 < fraction < 1:
            left = f"  {_clock((now_s - self._began_s) * (1 - fraction) / fraction)} left"
        return f"{self._stage:<22} {'█' * full}{'░' * (WIDTH - full)} {fraction:4.0%}{left}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
