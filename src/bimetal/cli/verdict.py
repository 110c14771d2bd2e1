"""Verdict: what came of what somebody said of an alarm or a sensor, in words and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bimetal.keep.event_line import time_text
from bimetal.learn.feedback import Known, room_of
from bimetal.learn.label import Label, Verdict
from bimetal.learn.limit import Limit
from bimetal.nouns.device import FLEET
from bimetal.wire.table.shape import counted


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a label: the label, the model with it, and how many alarms there were before and after.

    Of a label about sensors it is notices; None where nobody looked.
    """

    label: Label
    known: Known
    before: int | None = None
    after: int | None = None


def lines(told: Told, where: str) -> Iterator[str]:
    """Say what came of it."""
    said, known = told.label, told.known
    if said.withdrawn_ns is not None:
        yield f"Taken back: {described(said)}."
    else:
        yield f"{described(said)}."
        yield _of_sensors(said) if said.sensors else _of_patterns(said)
    if told.before is not None:
        what = "notice" if said.sensors else "alarm"
        yield f"In the readings around it: {counted(told.before, what)} before, {told.after} now."
    room = room_of(known.program)
    yield (
        f"{where}: the program was built anew, with room for {room} patterns: devices need it whole."
        if known.rebuilt
        else f"{where}: the program is the same; devices need new parameters alone."
    )


def _of_patterns(said: Label) -> str:
    gain = max(p.gain for p in said.patterns)
    louder = f"its like counts {gain:.2f} times" if gain > 1 else "its like is told by name, but no sooner"
    silent = f"its like is silent up to a score of {said.patterns[0].most:.2f}"
    return f"{counted(len(said.patterns), 'pattern')}: {silent if said.allows else louder}."


def _of_sensors(said: Label) -> str:
    """Say what its limits were and are."""
    if not said.limits:
        return "It is kept; nothing of the kind could be told sooner."
    own = said.device if said.device in said.limits[0].was else FLEET
    changes = [f"{x.signal}, {_words(x)}: {x.was[own]:.4g}, now {x.value:.4g}" for x in said.limits]
    return f"Told {'later' if said.allows else 'sooner'} from now on ({'; '.join(changes)})."


def _words(limit: Limit) -> str:
    return limit.param.removeprefix("sensor_").removeprefix("quality_").replace("_", " ")


def described(said: Label) -> str:
    """Say what somebody said, in one sentence without its end."""
    name = f" ({said.name!r})" if said.name else ""
    whose = "every device" if said.everywhere else said.device or "its device"
    by = f", says {said.who}" if said.who else ""
    when = time_text(said.time_ns)
    what = f"the notice about {' and '.join(said.sensors)}" if said.sensors else "the alarm"
    return f"Label {said.number}: {what} of {when} was {_called(said)}{name}, for {whose}{by}"


def _called(said: Label) -> str:
    return "a fault" if said.verdict is Verdict.FAULT else "not a fault"


def figures(told: Told) -> dict[str, Any]:
    """Return what came of it, for programs."""
    return {
        **plain(told.label),
        "alarms_before": told.before,
        "alarms_after": told.after,
        "rebuilt": told.known.rebuilt,
        "room": room_of(told.known.program),
    }


def plain(said: Label) -> dict[str, Any]:
    """Return a label without its patterns, for programs."""
    return {
        "number": said.number,
        "verdict": said.verdict.value,
        "name": said.name,
        "device": said.device,
        "time": time_text(said.time_ns),
        "given": time_text(said.given_ns),
        "who": said.who,
        "everywhere": said.everywhere,
        "patterns": len(said.patterns),
        "sensors": list(said.sensors),
        "limits": [
            {"signal": x.signal, "fault": x.fault.name.lower(), "limit": x.param, "value": x.value}
            for x in said.limits
        ],
        "withdrawn": None if said.withdrawn_ns is None else time_text(said.withdrawn_ns),
    }
