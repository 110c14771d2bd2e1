"""The words everybody uses; no behaviour beyond validation."""

from bimetal.nouns.batch import Batch
from bimetal.nouns.device import Device
from bimetal.nouns.event import Cause, Event, Kind, Reason
from bimetal.nouns.purpose import Purpose
from bimetal.nouns.reading import Quality, Reading
from bimetal.nouns.signal import Signal

__all__ = ["Batch", "Cause", "Device", "Event", "Kind", "Purpose", "Quality", "Reading", "Reason", "Signal"]
