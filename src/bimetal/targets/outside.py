"""Outside: a program that runs as a process of its own, bytes in and bytes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, Broken
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.targets.toolbox import Folder, Toolbox


class OutsideRunning:
    """A program behind a command that is given, and gives, bytes.

    Given: the number of rows (u32), the state, `between` (such as parameters), the rows. It gives the
    state, the outputs and what fired (u32 a row), all little-endian.
    """

    def __init__(
        self, program: Program, command: Sequence[str], between: bytes, tools: Toolbox, folder: Folder
    ) -> None:
        self.program = program
        self.layouts = layout_of(program)
        self._command = tuple(command)
        self._between = between
        self._tools = tools
        self._folder = folder

    def run(self, state: bytes, rows: NDArray[Any]) -> tuple[bytes, NDArray[Any], NDArray[np.uint32]]:
        """Feed one device rows (n,) of the input struct, in order; see targets/target.py.

        Raises BadInput for a state or rows of another shape, Broken when the command fails.
        """
        lay = self.layouts
        rows = lay.input.conformed(np.asarray(rows))
        if rows.ndim != 1 or len(state) != lay.state.size:
            raise BadInput(
                f"a state of {len(state)} bytes and rows {rows.shape} do not fit a program with "
                f"{lay.state.size} state bytes",
                where=self.program.title,
            )
        given = len(rows).to_bytes(4, "little") + state + self._between + rows.tobytes()
        done = self._tools.run(self._command, given, self._folder.name)
        sizes = (lay.state.size, len(rows) * lay.output.size, len(rows) * 4)
        if done.status or len(done.output) != sum(sizes):
            raise Broken(f"it ended with status {done.status}: {done.words[-300:]}", where=self._command[0])
        after, out, fired = (done.output[sum(sizes[:k]) : sum(sizes[: k + 1])] for k in range(3))
        results = np.zeros(len(rows), lay.output.dtype)
        if out:
            results[...] = np.frombuffer(out, lay.output.dtype)
        return after, results, np.frombuffer(fired, "<u4").astype(np.uint32)
