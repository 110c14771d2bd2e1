"""Erasing: the work of `bimetal erase`, imported when it is called.

erase ── a wish in the folder ──> the server of that folder, or whoever opens it next ──> a receipt
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bimetal.cli.saying import shown
from bimetal.keep.archive import ERASURES, Archive
from bimetal.keep.disk import hold
from bimetal.keep.erasure import BEYOND, Erasure, ErasureFolder
from bimetal.keep.place import check_begun, place_of
from bimetal.nouns.errors import BadInput

LOOK_S = 0.1
WHAT = {
    "readings": "readings",
    "events": "events",
    "refused": "messages that could not be read",
    "states": "states of models",
    "tokens": "tokens",
    "sessions": "sessions of MQTT clients, cut off",
    "notes": "notes of what MQTT clients are to hear",
    "waiting": "messages that waited for other clients",
    "retained": "messages left under topics",
    "wills": "wills",
    "owing": "servers that share the store have yet to erase it as well",
}
"""What goes, as the receipt has it, in words."""


def erase(data: Path, device: str, seconds: float) -> Erasure:
    """Have a device erased and return the receipt.

    Raises NotFound where nothing is kept, BadInput when it was not done in time: it will be, then.
    """
    check_begun(place_of(data))
    erasures = ErasureFolder(data / ERASURES)
    asked = erasures.ask(device, secrets.token_bytes, time.time_ns())
    ends_s = time.monotonic() + seconds
    while erasures.find(asked.id).device:
        if _is_free(data):
            Archive(data).close()
        elif time.monotonic() > ends_s:
            raise BadInput(
                "another program holds this folder and has not erased the device yet",
                where=str(data),
                hint="It will, or whoever opens the folder next; see what the server says",
            )
        else:
            time.sleep(LOOK_S)
    return erasures.find(asked.id)


def record(done: Erasure, device: str) -> dict[str, Any]:
    """Return a receipt for programs."""
    return {
        "device": device,
        "receipt": done.id,
        "asked": _instant(done.asked_ns),
        "found": dict(done.found),
        "interrupted": done.interrupted,
        "models": list(done.models),
        "beyond": list(BEYOND),
    }


def lines(done: Erasure, device: str) -> Iterator[str]:
    """Yield a receipt for people."""
    yield shown(f"{device} was erased, as asked at {_instant(done.asked_ns)}. Receipt {done.id}.")
    if done.interrupted:
        yield "It was begun before and cut short: what went then is not counted."
    for kind, words in WHAT.items():
        if count := done.found.get(kind):
            yield f"  {count:,} {words}"
    if done.models:
        yield shown(f"These models still name it: {', '.join(done.models)}.")
    yield "Beyond reach, and yours to look after:"
    for words in BEYOND:
        yield f"  {words}"


def _is_free(data: Path) -> bool:
    try:
        os.close(hold(data))
    except BadInput:
        return False
    return True


def _instant(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).isoformat().replace("+00:00", "Z")
