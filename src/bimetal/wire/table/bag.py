"""Bag: a set of words written as one line."""

from __future__ import annotations


def bag(words: str) -> frozenset[str]:
    """Return the words of a line as a set."""
    return frozenset(words.split())
