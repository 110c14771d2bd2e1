"""Ceiling: as many open files, and so connections, as the system lets this process have."""

from __future__ import annotations

import sys


def open_files() -> None:
    """Let this process have as many files open as it may; the usual 1,024 are too few for a fleet."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if sys.platform == "darwin":  # it says there is no limit, and then there is one
        most = min(most, 10_240)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
