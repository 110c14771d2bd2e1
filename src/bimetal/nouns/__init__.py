"""The words everybody uses; no behaviour beyond validation.

They are loaded when first named, so that a command that needs none of them starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bimetal.nouns.batch import Batch
    from bimetal.nouns.device import Device
    from bimetal.nouns.event import Cause, Event, Kind, Reason
    from bimetal.nouns.purpose import Purpose
    from bimetal.nouns.reading import Quality, Reading
    from bimetal.nouns.signal import Signal

__all__ = ["Batch", "Cause", "Device", "Event", "Kind", "Purpose", "Quality", "Reading", "Reason", "Signal"]
_AT_HOME = {"Cause": "event", "Kind": "event", "Reason": "event", "Quality": "reading"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_AT_HOME.get(name, name.lower())}"), name)
