"""Page: the figures of a soak over time, drawn on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from bench.soak.look import Look

_WIDTH, _HEIGHT = 900, 110
_DRAWN: tuple[tuple[str, Callable[[Look], float]], ...] = (
    ("memory of its own, MB", lambda look: look.own / 1e6),
    ("memory, RSS, MB", lambda look: look.rss / 1e6),
    ("open files", lambda look: look.files),
    ("threads", lambda look: look.threads),
    ("bytes a reading on disk", lambda look: look.disk / max(look.readings, 1)),
    ("journal, MB", lambda look: look.journal / 1e6),
    ("session file, MB", lambda look: look.sessions / 1e6),
    ("segments", lambda look: look.segments),
    ("ack ms, p50", lambda look: look.ack_p50_ms),
    ("ack ms, p99", lambda look: look.ack_p99_ms),
    ("query, s", lambda look: look.query_s),
    ("load of the machine", lambda look: look.load),
)
_STYLE = (
    "body{font:14px system-ui,sans-serif;max-width:940px;margin:2em auto;padding:0 1em}"
    "svg{width:100%;background:#f6f6f4}polyline{fill:none;stroke:#b4481e;stroke-width:1.5}"
    "text{font:11px system-ui;fill:#555}pre{overflow:auto}h2{font-size:1em;margin:1.2em 0 .2em}"
)


def page(title: str, table: str, looks: Sequence[Look]) -> str:
    """Draw every figure over the whole time, from 0 to the most that was seen."""
    plots = "".join(
        f"<h2>{escape(name)}</h2>{_plot([(look.passed_s, of(look)) for look in looks])}"
        for name, of in _DRAWN
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1><pre>{escape(table)}</pre>{plots}</html>\n"
    )


def _plot(points: Sequence[tuple[float, float]]) -> str:
    ends = max((x for x, _ in points), default=0.0) or 1.0
    most = max((y for _, y in points), default=0.0) or 1.0
    line = " ".join(f"{x / ends * _WIDTH:.1f},{_HEIGHT - y / most * (_HEIGHT - 16):.1f}" for x, y in points)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"><polyline points="{line}"/>'
        f'<text x="4" y="12">{most:,.4g}</text>'
        f'<text x="{_WIDTH - 4}" y="{_HEIGHT - 4}" text-anchor="end">{ends / 3600:.2f} h</text></svg>'
    )
