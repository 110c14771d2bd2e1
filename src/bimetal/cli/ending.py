"""Ending: what runs until somebody says stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set the event when the running loop's process is interrupted or told to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers; there Ctrl-C cancels the run instead.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
