"""Roominess: the work of `bimetal headroom`, imported when it is called."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import click

from bimetal.api.message import headroom_json
from bimetal.cli.gauging import history_of, verdict
from bimetal.cli.saying import say
from bimetal.stream.headroom import Headroom, day_text
from bimetal.stream.outlook import Asked, Limit


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    folder: Path
    keep_days: float | None


def tell(wish: Wish, as_json: bool) -> None:
    """Print the verdict; raises NotFound where no server was watched, BadInput for a damaged history."""
    history = history_of(wish.folder)
    found = verdict(wish.folder, history, Asked(time.time_ns(), wish.keep_days))
    if as_json:
        click.echo(json.dumps(headroom_json(found)))
        return
    for line in lines_of(found):
        say(line)


def lines_of(found: Headroom) -> list[str]:
    """Return the verdict as lines for people."""
    lines = [found.words, *(_line(limit) for limit in found.limits)]
    return [*lines, f"What to do: {found.advice}"]


def _line(limit: Limit) -> str:
    used = f"{limit.used:4.0%}" if limit.used < 10 else ">999%"
    when = f"; reached about {day_text(limit.when.about_ns)}" if limit.when else ""
    return f"  {limit.bound:<8} {used} used: {limit.figures}{when}"
