"""The JSON the door speaks: one shape for each thing, the same over REST and WebSocket."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any

import msgspec

from bimetal import __version__
from bimetal.api.alarm import Alarm, Life
from bimetal.api.frame import VERSION as FRAME_VERSION
from bimetal.api.live import Live
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound, Unsupported
from bimetal.nouns.event import Like, Reason
from bimetal.stream.headroom import Headroom

Json = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPOKEN = {
    NotFound: ("not_found", 404),
    NotAllowed: ("not_allowed", 403),
    BadInput: ("bad_input", 400),
    Unsupported: ("unsupported", 501),
}


def as_bytes(body: Json) -> bytes:
    """Return the message as JSON; NaN and infinity become null."""
    return msgspec.json.encode(body)


def instant(time_ns: int | None) -> str | None:
    """Return a time as ISO 8601 in UTC with microseconds, None for None."""
    if time_ns is None:
        return None
    moment = _EPOCH + timedelta(microseconds=time_ns // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def hello(live: Live) -> Json:
    """Return the first message a tab gets: everything but the readings."""
    return {
        "type": "hello",
        "version": __version__,
        "frame_version": FRAME_VERSION,
        "plant": plant(live),
        "model": model(live),
        "counters": counters(live),
        "headroom": headroom(live),
        "events": [event(a) for a in live.alarms],
    }


def plant(live: Live) -> Json:
    """Return the plant: its title, machines, signals, stage and how much history is held."""
    return {
        "title": live.plant.title,
        "window_s": live.window_s,
        "devices": [{"id": d.id, "kind": d.kind, "place": d.place} for d in live.plant.devices],
        "signals": [
            {"name": s.name, "unit": s.unit, "quantity": s.quantity, "period_s": s.period_s}
            for s in live.plant.signals
        ],
        "stage": stage(live),
    }


def stage(live: Live) -> Json:
    """Return the stage, how far through it, and the sentence about it."""
    view = live.stage
    return {"stage": view.stage, "progress": view.progress, "words": view.words}


def model(live: Live) -> Json | None:
    """Return the model's card, None while there is no model."""
    card = live.model
    if card is None:
        return None
    body = asdict(card)
    body["budget"] = [{**asdict(row), "fits": row.fits} for row in card.budget]
    return body


def counters(live: Live) -> Json:
    """Return what was counted, with the false alarms the promise would have allowed by now."""
    told = asdict(live.counters)
    promised = live.model.promised_per_day if live.model else float("nan")
    told["false_alarms_promised"] = promised * live.counters.watched_device_days
    return told


def headroom(live: Live) -> Json | None:
    """Return how far the server is from its limits, None where nobody watches that."""
    return None if live.headroom is None else headroom_json(live.headroom)


def headroom_json(found: Headroom) -> Json:
    """Return a verdict on a server; a limit is reached `about`, between `earliest` and `latest`, or null."""
    return {
        "first": found.first,
        "words": found.words,
        "advice": found.advice,
        "enough": found.enough,
        "watched_s": found.watched_s,
        "rate": found.rate,
        "capacity": found.capacity if isfinite(found.capacity) else None,
        "limits": [
            {
                "bound": limit.bound,
                "used": limit.used if isfinite(limit.used) else None,
                "figures": limit.figures,
                "known": limit.known,
                "about": instant(limit.when.about_ns if limit.when else None),
                "earliest": instant(limit.when.earliest_ns if limit.when else None),
                "latest": instant(limit.when.latest_ns if limit.when else None),
            }
            for limit in found.limits
        ],
    }


def commits(live: Live) -> Json:
    """Return how long messages took to be safe since the server began: the middle one, one in a hundred, all.

    `count` is of those that took no longer than `up_to_ms`, and longer than the one before.
    """
    told = live.commits
    return {
        "messages": sum(told.counts),
        "p50_ms": told.share_ms(0.5),
        "p99_ms": told.share_ms(0.99),
        "up_to_ms": list(told.up_to_ms),
        "count": list(told.counts),
    }


def device(live: Live, name: str) -> Json:
    """Return what is known of one machine. Raises NotFound."""
    newest_ns, score = live.newest_of(name)
    running = live.alarms.open_of(name)
    if running:
        status = "alarm" if any(a.event.alarm for a in running) else "notice"
    else:
        status = "waiting" if newest_ns is None else live.stage.stage
    return {
        "id": name,
        "status": status,
        "last_time": instant(newest_ns),
        "score": score,
        "open_events": [a.id for a in running],
    }


def event(alarm: Alarm) -> Json:
    """Return an alarm: the latest event of its group with its explanation, and where it is in its life."""
    said = alarm.event
    return {
        "id": alarm.id,
        "kind": said.kind,
        "device": said.device,
        "time": instant(said.time_ns),
        "since": instant(said.since_ns),
        "first": instant(alarm.first_ns),
        "closed": instant(alarm.closed_ns),
        "score": said.score,
        "alarm": said.alarm,
        "cause": said.cause,
        "confidence": said.confidence,
        "sentence": said.sentence,
        "explanation": [_told(r) for r in said.reasons],
        "unless": None if said.unless is None else asdict(said.unless),
        "like": None if said.like is None else _like(said.like),
        "life": alarm.life,
        "acknowledged": alarm.life is Life.SEEN,
        "repeats": alarm.repeats,
    }


def _told(reason: Reason) -> Json:
    told = asdict(reason)
    since_ns = told.pop("since_ns")
    return {**told, "since": None if since_ns is None else instant(since_ns)}


def _like(known: Like) -> Json:
    told = asdict(known)
    time_ns = told.pop("time_ns")
    return {**told, "time": instant(time_ns)}


def news(live: Live, since: int) -> list[Json]:
    """Return what changed after this revision, everything but readings and scores."""
    told: list[Json] = []
    if live.plant_revision > since:
        return [hello(live)]
    if live.stage_revision > since:
        told.append({"type": "stage", "stage": stage(live)})
    if live.model_revision > since:
        told.append({"type": "model", "model": model(live)})
    if live.headroom_revision > since:
        told.append({"type": "headroom", "headroom": headroom(live)})
    told.extend({"type": "event", "event": event(a)} for a in live.alarms if a.revision > since)
    return told


def refusal(error: Error) -> tuple[int, Json]:
    """Return the status and the body for an error: a code, a sentence, and what to try."""
    code, status = next((v for k, v in _SPOKEN.items() if isinstance(error, k)), ("failed", 500))
    said = type(error)(error.what, where=error.where).sentence()
    return status, {"error": {"code": code, "sentence": said, "fix": error.hint}}
