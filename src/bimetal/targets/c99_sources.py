"""C99 sources: the four files of a program that run on a device."""

from __future__ import annotations

from bimetal.program.block import unpack
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.targets.c99 import numbers, write_c99
from bimetal.targets.loops import Lowered
from bimetal.targets.project import Files


def sources_of(program: Program, lowered: Lowered, block: bytes, name: str) -> Files:
    """Return NAME.h, NAME.c, NAME_params.h and NAME_params.c; raises BadInput as write_c99 and unpack do."""
    source = write_c99(program, lowered, name)
    texts = {
        f"{name}.h": source.header,
        f"{name}.c": source.code,
        f"{name}_params.h": PARAMS.format(name=name, guard=name.upper()),
        f"{name}_params.c": write_params(program, block, name),
    }
    return {file: text.encode("ascii") for file, text in texts.items()}


def write_params(program: Program, block: bytes, name: str) -> str:
    """Return `NAME_params.c`: the values of a parameter block, field after field."""
    values = unpack(program, block)
    layout = layout_of(program).params
    lines = [
        f'#include "{name}_params.h"\n',
        f"const BIMETAL_FLASH {name}_params {name}_learned = {{",
    ]
    for f in layout.fields:
        text = numbers(values[f.name], f.dtype)
        text = text if values[f.name].size > 1 else text.strip("{} ")
        lines.append(f"    /* {f.name} */\n    {text},")
    if layout.padding or not layout.fields:
        lines.append("    { 0 }," if layout.fields else "    0,")
    caption = f"/* {name}_params.c: what was learned; a new model of this program changes this alone. */"
    return "\n".join([caption, *lines, "};", ""])


PARAMS = """/* {name}_params.h: the learned values. */
#ifndef {guard}_PARAMS_H
#define {guard}_PARAMS_H

#include "{name}.h"

#ifdef __cplusplus
extern "C" {{
#endif

extern const BIMETAL_FLASH {name}_params {name}_learned;

#ifdef __cplusplus
}}
#endif

#endif
"""
