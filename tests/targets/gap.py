"""Gaps of the exports, by format and operator example: declared with their error; one that closes fails."""

from __future__ import annotations

from tests.agree.gap import Gap

GAPS: dict[tuple[str, str], Gap] = {
    ("litert", "pool 2"): Gap("notimpl", "5 axes are more than 4"),
    ("litert", "pool 3"): Gap("notimpl", "5 axes are more than 4"),
    ("litert", "sum 0"): Gap("never", "its example: y0"),
}
"""Every other example of every operator agrees within the bound. LiteRT adds up in an order of its own: the
example of `sum` is there to show what that does where large numbers cancel."""
