"""Saying: words for people, safe to show on a terminal whoever chose the names in them."""

from __future__ import annotations

import click

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
