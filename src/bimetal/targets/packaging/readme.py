"""Readme: what the folder is, how it is used, what it takes, and what goes in and comes out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from bimetal.program.layout import layout_of
from bimetal.targets.c99 import words
from bimetal.targets.packaging.parts import Parts


def readme(parts: Parts, form: str, use: str) -> str:
    """Return `README.txt`; `form` is what the folder is, `use` how it is built, as a template."""
    lay = layout_of(parts.program)
    title = f"{parts.name}: {words(parts.program.title)}, as {form}"
    remarks = "".join(f"{_filled(remark)}\n" for remark in parts.about.remarks)
    inputs = ((f.name, f"{f.dtype}{_shape(f.shape)} {unit}") for f, unit in parts.fields())
    outputs = ((f.name, f"{f.dtype}{_shape(f.shape)}") for f in parts.results())
    return parts.spelled(
        README,
        heading=f"{title}\n{'=' * len(title)}",
        use=use.strip(),
        count=str(parts.count),
        remarks=remarks and f"\n{remarks}",
        state=str(lay.state.size),
        params=str(lay.params.size),
        scratch=str(parts.scratch_bytes),
        inputs=_table(inputs),
        outputs=_table(outputs),
    )


def _filled(remark: str) -> str:
    return textwrap.fill("".join(c if c.isascii() and c.isprintable() else "?" for c in remark), 98)


def _shape(shape: tuple[int, ...]) -> str:
    return str(list(shape)) if shape else ""


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"    {name:24s} {said}".rstrip() for name, said in rows) or "    (none)"


README = """%heading%
%use%
%remarks%
In your firmware:

    static %name%_state state;
    %name%_in in;
    %name%_out out;

    %name%_init(&state);                                    once
    in.... = ...;                                           at every reading; NAN is a gap
    fired = %name%_step(&state, &%name%_learned, &in, &out);

No malloc, no files, no clock. Bytes: state %state%, parameters %params% (constant), scratch on the
stack %scratch%. The state is the whole memory of a device: copy it to move or to save it. Its elements
are in the machine's order of bytes, little-endian nearly everywhere.
Call %name%_self_test once after an update: it returns how many of the %count% vectors differ from what
they gave where the model was made, 0 when all is well. BIMETAL_VECTORS=n keeps the first n of them in
flash, BIMETAL_NO_VECTORS none.
Compile with -ffp-contract=off, never with -ffast-math; on an AVR with -std=gnu99, so that constants
stay in flash.

Readings (%name%_in)
%inputs%

Results (%name%_out)
%outputs%
"""
