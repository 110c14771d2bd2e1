"""SQL table: what is kept beside readings, as Arrow tables that a query reads."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from bimetal.keep.arrow import Table, pa
from bimetal.keep.asked import Asked
from bimetal.keep.event_log import read_events
from bimetal.keep.quarantine import read_quarantine
from bimetal.keep.snapshot import Snapshot

_UTC: Any = pa.timestamp("ns", tz="UTC")
_REASON: Any = pa.struct(
    [
        ("signal", pa.string()),
        ("share", pa.float64()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("unit", pa.string()),
        ("since", _UTC),
    ]
)
_EVENTS: Any = pa.schema(
    [
        ("time", _UTC),
        ("device", pa.string()),
        ("kind", pa.string()),
        ("score", pa.float64()),
        ("alarm", pa.bool_()),
        ("cause", pa.string()),
        ("confidence", pa.float64()),
        ("sentence", pa.string()),
        ("since", _UTC),
        ("explanation", pa.list_(_REASON)),
    ]
)
_SIGNALS: Any = pa.schema(
    [
        ("name", pa.string()),
        ("unit", pa.string()),
        ("quantity", pa.string()),
        ("period_s", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)
_QUARANTINE: Any = pa.schema(
    [
        ("number", pa.int64()),
        ("time", _UTC),
        ("topic", pa.string()),
        ("client", pa.string()),
        ("reason", pa.string()),
        ("payload", pa.binary()),
    ]
)


def event_table(folder: Path, asked: Asked, erasing: tuple[str, ...]) -> Table:
    """Return the table `events` of a folder, but for devices that are being erased."""
    told = read_events(folder / "events", asked.since_ns, asked.until_ns)
    rows = [
        {
            "time": e.time_ns,
            "device": e.device,
            "kind": e.kind.value,
            "score": _number(e.score),
            "alarm": e.alarm,
            "cause": e.cause.value,
            "confidence": _number(e.confidence),
            "sentence": e.sentence,
            "since": e.since_ns,
            "explanation": [
                {
                    "signal": r.signal,
                    "share": _number(r.share),
                    "value": _number(r.value),
                    "low": _number(r.low),
                    "high": _number(r.high),
                    "unit": r.unit,
                    "since": r.since_ns,
                }
                for r in e.reasons
            ],
        }
        for e in told.events
        if e.device not in erasing and (asked.devices is None or e.device in asked.devices)
    ]
    return pa.Table.from_pylist(rows, schema=_EVENTS)


def signal_table(snapshot: Snapshot) -> Table:
    """Return the table `signals`: what is known of each."""
    rows = [
        {
            "name": s.name,
            "unit": s.unit,
            "quantity": s.quantity,
            "period_s": s.period_s,
            "low": _number(s.low),
            "high": _number(s.high),
        }
        for s in snapshot.signals
    ]
    return pa.Table.from_pylist(rows, schema=_SIGNALS)


def quarantine_table(folder: Path, asked: Asked) -> Table:
    """Return the table `quarantine`: messages that could not be used, with their bytes."""
    rows = [
        {
            "number": m.number,
            "time": m.refused.time_ns,
            "topic": m.refused.topic,
            "client": m.refused.client,
            "reason": m.refused.reason,
            "payload": m.refused.payload,
        }
        for m in read_quarantine(folder / "quarantine").messages
        if asked.since_ns <= m.refused.time_ns < asked.until_ns
    ]
    return pa.Table.from_pylist(rows, schema=_QUARANTINE)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
