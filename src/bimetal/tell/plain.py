"""Plain: text as people may safely see it, whoever chose the names in it."""

from __future__ import annotations

LONGEST = 500


def plain(text: str, longest: int = LONGEST) -> str:
    """Return a text on one line: no control, direction or invisible characters, and not too long.

    White space of any kind becomes one space, what cannot be printed U+FFFD, what is too much `…`.
    """
    shown = " ".join(text[: 4 * longest].split())
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
