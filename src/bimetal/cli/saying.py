"""Saying: words for people, safe to show on a terminal whoever chose the names in them."""

from __future__ import annotations

import click

from bimetal.keep.event_line import time_text
from bimetal.wire.table.shape import LEAST_CALENDAR_NS

LONGEST = 4000


def say(words: str) -> None:
    """Write a line on standard output."""
    click.echo(shown(words))


def remark(words: str) -> None:
    """Write how things go on standard error, beside what is printed for programs."""
    click.echo(shown(words), err=True)


def note(words: str) -> None:
    """Write something worth knowing on standard error."""
    click.echo(f"Note: {shown(words).rstrip('.')}.", err=True)


def shown(words: str) -> str:
    """Return words on one line, without what a terminal could take for an order."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words[:LONGEST])


def when(time_ns: int) -> str:
    """Write an instant as people do; counted from the start where the data have no calendar."""
    if time_ns >= LEAST_CALENDAR_NS:
        return time_text(time_ns)
    seconds, rest = divmod(max(time_ns, 0), 10**9)
    fraction = f".{rest // 10**6:03d}" if rest else ""
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{fraction}"
