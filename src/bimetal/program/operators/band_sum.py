"""Sums over neighbouring elements, band by band."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from bimetal.nouns.errors import BadProgram
from bimetal.program import letter, word
from bimetal.program.node import Node
from bimetal.program.operator import Checked, Example, one
from bimetal.program.program import Draft


@dataclass(frozen=True, slots=True)
class BandSum(Checked):
    """Sums over neighbouring elements, band by band.

    Takes f32 (n, ...), as a power spectrum, and gives (bands, ...): band b is the sum of the elements
    from edge b up to, not including, edge b + 1.
    """

    references: ClassVar[tuple[str, ...]] = ()

    edges: tuple[int, ...] = (0, 1, 2)

    @classmethod
    def of_frequencies(cls, edges_hz: tuple[float, ...], *, rate_hz: float, size: int) -> BandSum:
        """Return the operator for bands between frequencies, in the spectrum of a window of `size`.

        Each edge is put at the first element that is not below it. Raises BadProgram where a band holds
        no element, as where frequencies do not rise or lie closer together than rate / size.
        """
        edges = tuple(int(np.ceil(f * size / rate_hz - 1e-9)) for f in edges_hz)
        if any(a >= b for a, b in pairwise(edges)):
            raise BadProgram(
                f"the edges {edges_hz} Hz are the elements {edges}: a band is empty",
                where="BandSum",
                hint=f"Neighbouring elements are {rate_hz / size:g} Hz apart; a larger window has finer ones",
            )
        return cls(edges)

    def trace(self, draft: Draft, *signals: Node) -> Node:
        """One sum for each band; bands of one width are summed by one loop."""
        x = one(signals, self)
        edges = self.edges
        rises = all(a < b for a, b in pairwise(edges))
        if len(edges) < 2 or not rises or not 0 <= edges[0] <= edges[-1] <= x.shape[0]:
            raise BadProgram(f"edges {edges} do not rise within 0..{x.shape[0]}", where="BandSum")
        widths = {b - a for a, b in pairwise(edges)}
        if len(widths) == 1:
            inside = letter.slice_(x, edges[0], edges[-1])
            return word.total(letter.reshape(inside, (len(edges) - 1, widths.pop(), *x.shape[1:])), axis=1)
        bands = [letter.slice_(x, a, b) for a, b in pairwise(edges)]
        return letter.stack([word.total(band, axis=0) for band in bands])

    @classmethod
    def examples(cls) -> tuple[Example, ...]:
        """Bands of one width, and of several; the rest is left out."""
        x = np.array([[1.0, 2.0, 4.0, 8.0, 16.0, 32.0]])
        return (
            Example(cls((1, 3, 5)), (x,), ([[6, 24]],)),
            Example(cls((0, 1, 4)), (x,), ([[1, 14]],)),
            Example(cls.of_frequencies((0, 90, 250), rate_hz=500, size=10), (x,), ([[3, 28]],)),
        )
