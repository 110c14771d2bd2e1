"""Layout: where each field of a program's state, parameters, inputs and outputs lies in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput, BadProgram
from bimetal.program.node import DTYPES, EVERY, Clock
from bimetal.program.once import once
from bimetal.program.program import Program


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its element type, shape, and offset in bytes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return DTYPES[self.dtype].itemsize * int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Layout:
    """One struct, little-endian: fields by element size (largest first), then by name.

    Every field is naturally aligned, and `size` is rounded up to the largest element, so that a C
    compiler lays the same fields out alike. With no fields the size is 0: such a struct is never
    read or written, and a language without empty structs may put one unused byte in its place.
    """

    fields: tuple[Field, ...]
    size: int

    @property
    def align(self) -> int:
        """The alignment in bytes: the largest element, 1 for none."""
        return max((DTYPES[f.dtype].itemsize for f in self.fields), default=1)

    @property
    def padding(self) -> int:
        """How many bytes follow the last field; between fields there are none."""
        return self.size - sum(f.size for f in self.fields)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The same struct as a NumPy type; a truth value is one byte, 0 or 1."""
        return np.dtype(
            {
                "names": [f.name for f in self.fields],
                "formats": [(DTYPES[f.dtype], f.shape) for f in self.fields],
                "offsets": [f.offset for f in self.fields],
                "itemsize": self.size,
            }
        )

    def conformed(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return rows in exactly this struct: unchanged, or moved by field where padding differs.

        np.stack and np.concatenate drop padding. Raises BadInput when fields differ.
        """
        exact = self.dtype
        if rows.dtype == exact:
            return rows
        forms = {f.name: np.dtype((DTYPES[f.dtype], f.shape)) for f in self.fields}
        if {name: rows.dtype[name] for name in rows.dtype.names or ()} != forms:
            raise BadInput(f"rows of {rows.dtype} are not rows of {exact}")
        moved = np.zeros(rows.shape, exact)
        for name in forms:
            moved[name] = rows[name]
        return moved

    def field(self, name: str) -> Field:
        """Return one field by its name; raises KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Layouts:
    """The four structs of a program.

    State also holds `wait_<period>_<first>` (i32, starts at `first`) for every clock but EVERY: when
    a reading comes and it is 0 the stage fires and it becomes period - 1, else it goes down by one.
    So the bytes of the state alone decide what fires.
    """

    state: Layout
    params: Layout
    input: Layout
    output: Layout


@once
def layout_of(program: Program) -> Layouts:
    """Lay out a program's structs; raises BadProgram when two fields share a name."""
    waits = [(wait_of(c), "i32", ()) for c in program.clocks if c != EVERY]
    return Layouts(
        state=struct_of([(s.name, s.dtype, s.shape) for s in program.states] + waits),
        params=struct_of((p.name, p.dtype, p.shape) for p in program.params),
        input=struct_of((i.name, i.dtype, i.shape) for i in program.inputs),
        output=struct_of((name, n.dtype, n.shape) for name, n in program.outputs),
    )


def struct_of(fields: Iterable[tuple[str, str, tuple[int, ...]]]) -> Layout:
    """Lay out fields of (name, element type, shape)."""
    placed: list[Field] = []
    offset = 0
    for name, dtype, shape in sorted(fields, key=lambda f: (-DTYPES[f[1]].itemsize, f[0])):
        if any(f.name == name for f in placed):
            raise BadProgram(f"two fields are called {name!r}")
        placed.append(Field(name, dtype, shape, offset))
        offset += placed[-1].size
    align = max((DTYPES[f.dtype].itemsize for f in placed), default=1)
    return Layout(tuple(placed), -(-offset // align) * align)


def wait_of(clock: Clock) -> str:
    """Return the name of the state field that counts down to a clock's next firing."""
    return f"wait_{clock.period}_{clock.first}"


def initial_state(program: Program) -> bytes:
    """Return the state of a device that has seen nothing yet."""
    layout = layout_of(program).state
    if not layout.size:
        return b""
    state = np.zeros((), layout.dtype)
    for s in program.states:
        state[s.name] = s.init
    for clock in program.clocks:
        if clock != EVERY:
            state[wait_of(clock)] = clock.first
    return state.tobytes()
