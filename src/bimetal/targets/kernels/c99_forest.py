"""C99 forest: a walk that ends at a leaf, two splits a turn, with the bits of the letters it stands for.

Speed and size were measured on a Cortex-M4 with bench/trees.py: the letters take all turns of the deepest
tree; here a tree ends where its leaf is.
"""

from __future__ import annotations

from collections.abc import Iterable

from bimetal.targets.c99_scalar import TYPES
from bimetal.targets.kernels.forest import ForestKernel
from bimetal.targets.loops import Buf, Call, Stmt
from bimetal.targets.name import spelled


def call_of(call: Call) -> str:
    """Return the statement that runs a kernel."""
    (x,) = call.reads
    kernel: ForestKernel = call.kernel
    return f"{_name(kernel)}(p, {_pointer(x, 0)}, {_pointer(call.buf, call.start)});"


def functions_of(statements: Iterable[Stmt], name: str) -> list[str]:
    """Return the functions that the kernels among statements need."""
    kernels = {s.kernel: None for s in statements if isinstance(s, Call)}
    return [_function(kernel, name) for kernel in kernels]


def _name(kernel: ForestKernel) -> str:
    return spelled(f"{kernel.name}_sums")


def _fields(kernel: ForestKernel) -> dict[str, str]:
    """Return how each parameter is written; a struct holds one element as it is, not as an array."""
    kinds = ("feature", "threshold", "link", "root", "values", "start")
    found = {kind: f"p->{spelled(f'{kernel.name}_{kind}')}" for kind in kinds}
    each = "[t]" if kernel.trees > 1 else ""
    return found | {"root": found["root"] + each, "start": found["start"] + each}


def _pointer(buf: Buf, start: int) -> str:
    owner = {"state": "s->", "params": "p->", "in": "in->", "out": "out->"}.get(buf.space, "")
    if buf.space == "scratch":
        member = {"f32": "f", "i32": "i", "u8": "b"}[buf.dtype]
        return f"scratch.{member} + {spelled(buf.name)}" + (f" + {start}" if start else "")
    if buf.size == 1:
        return f"&{owner}{spelled(buf.name)}"
    return f"{owner}{spelled(buf.name)}" + (f" + {start}" if start else "")


def _function(kernel: ForestKernel, name: str) -> str:
    mask = (1 << kernel.bits) - 1
    fields = _fields(kernel)
    split = SPLIT.format(mask=mask, bits=kernel.bits, **fields)
    beyond = not kernel.rows and mask >= kernel.outputs
    count = "" if kernel.rows else (VOTE_WITHIN if beyond else VOTE).format(outputs=kernel.outputs)
    return FUNCTION.format(
        name=name,
        function=_name(kernel),
        root=fields["root"],
        x=TYPES[kernel.dtype],
        trees=kernel.trees,
        mask=mask,
        turns=kernel.turns // 2,
        split=split,
        outputs=kernel.outputs,
        count=count or _added(kernel),
    )


def _added(kernel: ForestKernel) -> str:
    fields = _fields(kernel)
    values = fields["values"]
    lines = [f"        const int32_t row = {fields['start']} + leaf;"]
    at = f"(row < {kernel.rows - 1} ? row : {kernel.rows - 1})"
    if kernel.width == 1:
        to = "0" if kernel.outputs == 1 else f"t % {kernel.outputs}"
        if kernel.rows == 1:
            return f"        sums[{to}] += {values};"
        lines.append(f"        sums[{to}] += {values}[{at}];")
    else:
        lines.append(f"        const BIMETAL_FLASH int32_t *worth = {values} + {at} * {kernel.width};")
        lines.append("        int32_t k;")
        lines.append(f"        for (k = 0; k < {kernel.width}; k++) {{")
        lines += ["            sums[k] += worth[k];", "        }"]
    return "\n".join(lines)


VOTE = "        sums[leaf]++;"
VOTE_WITHIN = """        if (leaf < {outputs}) {{
            sums[leaf]++;
        }}"""

SPLIT = """            link = {link}[at];
            high = {threshold}[at] < x[{feature}[at]];
            if (link >= 0) {{
                at = high ? link : at + 1;
            }} else {{
                leaf = high ? (-1 - link) & {mask} : (-1 - link) >> {bits};
                if (leaf != {mask}) {{
                    break;
                }}
                at++;
            }}"""

FUNCTION = """/* Walk down every tree to its leaf, and add up what the leaves stand for. */
static void {function}(const BIMETAL_FLASH {name}_params *p, const {x} *x, int32_t *sums)
{{
    int32_t t;
    memset(sums, 0, {outputs} * sizeof *sums);
    for (t = 0; t < {trees}; t++) {{
        int32_t at = {root}, turns = {turns}, leaf = 0, link;
        bool high;
        do {{
{split}
{split}
        }} while (--turns > 0);
        if (leaf == {mask}) {{
            leaf = 0;
        }}
{count}
    }}
}}"""
