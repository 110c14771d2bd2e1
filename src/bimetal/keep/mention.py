"""Mention: whether bytes name a device, plainly or as JSON would escape it."""

from __future__ import annotations

import json
from collections.abc import Callable


def mentions(device: str) -> Callable[[bytes], bool]:
    """Return a test for bytes: whether the device is named anywhere in them."""
    plain, escaped = device.encode(), json.dumps(device)[1:-1].lower().encode()
    return lambda text: plain in text or escaped in text.lower()
