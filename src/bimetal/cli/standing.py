"""Standing: what stands out in a history, in words, and how somebody says that it was a fault."""

from __future__ import annotations

from collections.abc import Iterator

from bimetal.cli.querying import instant
from bimetal.cli.saying import when
from bimetal.explain.sentence import unusual_words
from bimetal.keep.event_line import time_text
from bimetal.learn.card import Card
from bimetal.learn.leave import Span
from bimetal.learn.standout import Standout
from bimetal.nouns.errors import BadInput


def span_of(text: str) -> Span:
    """Read START/END or START/END/DEVICE; raises BadInput with what it should look like."""
    begin, slash, rest = text.partition("/")
    end, _, device = rest.partition("/")
    if not slash:
        hint = "Write it like 2026-01-03T10:00/2026-01-03T12:00, or with /DEVICE behind it"
        raise BadInput(f"{text[:80]!a} is no stretch of time", hint=hint)
    span = Span(instant(begin), instant(end), device)
    if span.end_ns < span.begin_ns:
        raise BadInput(f"{text[:80]!a} ends before it begins")
    return span


def span_text(span: Span) -> str:
    """Write a span as `span_of` reads it."""
    whose = f"/{span.device}" if span.device else ""
    return f"{time_text(span.begin_ns)}/{time_text(span.end_ns)}{whose}"


def span_to_leave(moment: Standout, card: Card) -> Span:
    """Return what is to be left out where a moment was a fault."""
    return Span(moment.begin_ns, moment.end_ns, moment.device if len(card.devices) > 1 else "")


def standout_lines(card: Card) -> Iterator[str]:
    """Say what stands out in the history, when, and why; nothing where nothing does."""
    if not card.standouts:
        return
    yield "most unusual in the history, and learned from all the same (a score of 1 would alarm):"
    for number, moment in enumerate(card.standouts, 1):
        why = unusual_words(moment.reasons, len(card.signals) == 1, "it")
        whose = f"{moment.device}, " if len(card.devices) > 1 else ""
        times = when(moment.begin_ns)
        if moment.end_ns > moment.begin_ns:
            times += f" to {when(moment.end_ns)}"
        yield f"  {number}. {whose}{times}: {why}; score {moment.score:.2f}, the rest below {moment.rest:.2f}"
