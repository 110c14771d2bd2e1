"""Channel: a way to reach people; found by name, built-in ones by the same door as others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, cast

from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from bimetal.tell.alarm import Notice

GROUP = "bimetal.channels"


class Channel(Protocol):
    """A way to reach people. `tell` returns when the notice was delivered, or raises an error of
    nouns/errors.py; it may be called from a thread of its own, one call at a time."""

    @classmethod
    def opened(cls, settings: Mapping[str, str]) -> Channel:
        """Make the channel from a user's settings; raises BadInput for a wrong or unknown one."""
        ...

    def tell(self, notice: Notice) -> None:
        """Deliver a notice."""
        ...

    def close(self) -> None:
        """Let go of what the channel holds."""
        ...


def channels() -> dict[str, EntryPoint]:
    """Return every channel that is installed, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def open_channel(name: str, settings: Mapping[str, str]) -> Channel:
    """Open an installed channel by its name.

    Raises NotFound when there is none of that name, Unsupported when it cannot be loaded, BadInput
    for wrong settings.
    """
    found = channels()
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise NotFound(f"there is no channel called {name!a}", hint=f"Channels installed: {known}")
    try:
        kind = cast("type[Any]", found[name].load())
    except Exception as error:
        raise Unsupported(f"the channel {name} cannot be loaded: {error}") from error
    return cast("Channel", kind.opened(settings))


def check_settings(settings: Mapping[str, str], known: tuple[str, ...], where: str) -> None:
    """Raise BadInput for a setting a channel does not know."""
    unknown = sorted(set(settings) - set(known))
    if unknown:
        takes = ", ".join(known) or "none"
        raise BadInput(f"there is no setting {unknown[0]!a}", where=where, hint=f"Settings: {takes}")
