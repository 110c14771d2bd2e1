"""Headroom: which limit a server comes to first, about when, and what to change. Counters in, verdict out.

History -> costs (a reading, by station) ─┐
        -> trend of readings a second  ───┼─> four limits, each with a date -> the first of them, in words
        -> bytes a reading, retention  ───┘
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bimetal.nouns.event import Cause, Event, Kind
from bimetal.stream.cost import cost_of
from bimetal.stream.meter import History
from bimetal.stream.outlook import (
    DAY_NS,
    ENOUGH_S,
    FEWEST_SPELLS,
    LANES,
    MOST_SHARE,
    REACH,
    Asked,
    Bound,
    Limit,
    Outlook,
    size_text,
)

NEAR_DAYS = 14
NEAR_SHARE = 0.8
SERVER = "/server"
"""What notices about the server itself are about; no device can be called so."""


@dataclass(frozen=True, slots=True)
class Headroom:
    """The verdict: every limit, the one that comes first on top, what it means and what to change.

    `first` None: no limit is in sight. `capacity` is how many readings a second this server can take, as
    far as can be told from what it did; `rate` what the busiest tenth of the time brought.
    """

    now_ns: int
    watched_s: float
    rate: float
    capacity: float
    limits: tuple[Limit, ...]
    first: Bound | None
    words: str
    advice: str
    enough: bool


def headroom(history: History, asked: Asked) -> Headroom:
    """Return the verdict on a server with this history."""
    spells = history.spells
    watched = sum(s.seconds for s in spells)
    if not spells or not sum(s.readings for s in spells):
        words = "Nothing came in yet, so nothing can be said."
        return Headroom(asked.now_ns, watched, 0.0, 0.0, (), None, words, "Send readings first.", False)
    enough = watched >= ENOUGH_S and len(spells) >= FEWEST_SPELLS
    view = Outlook(spells, asked, cost_of(spells), enough)
    limits = sorted((*view.processor(), view.disk(), view.memory()), key=_order)
    first = limits[0].bound if limits[0].when is not None or limits[0].used >= MOST_SHARE else None
    words, advice = _words(view, limits[0], first), _advice(view, limits[0], first)
    level, capacity = view.busiest, view.cost.capacity(LANES)
    return Headroom(asked.now_ns, watched, level, capacity, tuple(limits), first, words, advice, enough)


def warning(found: Headroom, warned: bool) -> Event | None:
    """Return what operators should be told: that a limit comes near, or, if `warned`, that it no longer does.

    Near is within NEAR_DAYS of the earliest date, or NEAR_SHARE used of what takes readings in.
    """
    near = next((limit for limit in found.limits if _near(limit, found.now_ns)), None)
    if (near is not None) == warned or not found.enough:
        return None
    if near is None:
        words = "No limit of this server is near any more."
        return _event(Kind.CLEARED, found.now_ns, 0.0, words)
    return _event(Kind.DRIFT, found.now_ns, near.used, f"{found.words} {found.advice}")


def heaviest(rows: Mapping[str, int]) -> tuple[str, float]:
    """Return the group of devices that brings most readings, and its share of all.

    A group is what names have in common before their number: `site-b/pump` of `site-b/pump-17`.
    """
    groups: dict[str, int] = {}
    for device, count in rows.items():
        name = re.sub(r"[-_./ ]*\d+$", "", device) or device
        groups[name] = groups.get(name, 0) + count
    name = max(sorted(groups), key=lambda g: groups[g])
    return name, groups[name] / max(sum(groups.values()), 1)


def day_text(time_ns: int) -> str:
    """Return a date as people write it, in UTC."""
    return str(np.datetime64(time_ns, "ns").astype("datetime64[D]"))


def _near(limit: Limit, now_ns: int) -> bool:
    if not limit.known:
        return False
    if limit.when is not None and limit.when.earliest_ns <= now_ns + NEAR_DAYS * DAY_NS:
        return True
    return limit.used >= (MOST_SHARE if limit.bound in (Bound.DISK, Bound.MEMORY) else NEAR_SHARE)


def _event(kind: Kind, now_ns: int, used: float, words: str) -> Event:
    return Event(kind, SERVER, now_ns, used, False, Cause.CONTEXT, (), words, now_ns)


def _order(limit: Limit) -> tuple[float, float]:
    return (float("inf") if limit.when is None else limit.when.about_ns, -limit.used)


def _words(view: Outlook, limit: Limit, first: Bound | None) -> str:
    name = {Bound.INGEST: "taking readings in", Bound.SCORING: "scoring"}.get(limit.bound, limit.bound)
    if first is None:
        known = f"Most used is {name}: {limit.used:.0%}."
        if not view.enough:
            return f"{known} No date can be told before {ENOUGH_S / 60:.0f} minutes were watched."
        seen = view.reach_days / REACH
        return f"No limit is in sight, as far as {_span(seen)} of watching can tell. {known}"
    if limit.when is None or limit.when.about_ns <= view.asked.now_ns:
        return f"{name.capitalize()} is at its limit now: {limit.figures}."
    when, late = limit.when, limit.when.latest_ns
    until = "perhaps never" if late is None else day_text(late)
    said = "disk full" if limit.bound is Bound.DISK else f"{name} at its limit"
    between = f"between {day_text(when.earliest_ns)} and {until}"
    return f"{said.capitalize()} about {day_text(when.about_ns)} ({between})."


def _advice(view: Outlook, limit: Limit, first: Bound | None) -> str:
    if first is None:
        return "Nothing need be changed."
    group, share = heaviest(view.asked.rows) if view.asked.rows else ("", 0.0)
    lower = f"Lower {group} ({share:.0%} of all readings) to summaries" if group else "Send summaries"
    if first is Bound.DISK:
        fit = MOST_SHARE * (view.last.disk_free + view.last.kept_bytes) / max(view.day_bytes, 1.0)
        keep = f"keep no more than {fit:,.0f} days" if fit >= 1 else "keep less than a day"
        return f"{lower}, {keep}, or add {size_text(365 * view.day_bytes)} for a year more."
    if first is Bound.MEMORY:
        return "Give this machine more memory, or move some devices to a second one."
    arrays = "" if view.cost.arrays else ", let devices send several rows in one message"
    return f"{lower}{arrays}, or add a worker (bimetal bridge and bimetal worker)."


def _span(days: float) -> str:
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.1f} hours"
