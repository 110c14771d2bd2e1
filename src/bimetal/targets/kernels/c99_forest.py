"""C99 forest: a walk for every form of trees, with the bits of the letters it stands for.

Speed and size were measured on a Cortex-M4 with bench/trees.py: the letters take all turns of the deepest
tree; here a tree ends where its leaf is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bimetal.program.grove import LINKS, SHORT
from bimetal.program.twig import BITS, FAR, THROUGH
from bimetal.targets.c99_scalar import TYPES
from bimetal.targets.kernels.c99_crown import crown_next, crown_rows, crown_walk
from bimetal.targets.kernels.c99_field import fields_of
from bimetal.targets.kernels.forest import CROWN, ForestKernel
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


def _pointer(buf: Buf, start: int) -> str:
    owner = {"state": "s->", "params": "p->", "in": "in->", "out": "out->"}.get(buf.space, "")
    if buf.space == "scratch":
        member = {"f32": "f", "i32": "i", "u8": "b"}[buf.dtype]
        return f"scratch.{member} + {spelled(buf.name)}" + (f" + {start}" if start else "")
    if buf.size == 1:
        return f"&{owner}{spelled(buf.name)}"
    return f"{owner}{spelled(buf.name)}" + (f" + {start}" if start else "")


def _function(kernel: ForestKernel, name: str) -> str:
    before, each, after = _told(kernel)
    walks = {LINKS: _links, SHORT: _short}.get(kernel.form, crown_walk)
    if kernel.form == CROWN:
        before, each = before[:1] + crown_rows(kernel) + before[1:], each + crown_next(kernel)
    return "\n".join([
        "/* Walk down every tree to its leaf, and add up what the leaves stand for. */",
        f"static void {_name(kernel)}"
        f"(const BIMETAL_FLASH {name}_params *p, const {TYPES[kernel.dtype]} *x, int32_t *sums)",
        "{",
        *(f"    {line}" for line in before),
        f"    for (t = 0; t < {kernel.trees}; t++) {{",
        *(f"        {line}" for line in (*walks(kernel), *each)),
        "    }",
        *(f"    {line}" for line in after),
        "}",
    ])  # fmt: skip


def _told(kernel: ForestKernel) -> tuple[list[str], list[str], list[str]]:
    """Return what is written before all trees, for each of them, and after all."""
    clear = ["int32_t t;", f"memset(sums, 0, {kernel.outputs} * sizeof *sums);"]
    if kernel.rows:
        if kernel.outputs == 1:
            return ["int32_t t, sum = 0;"], [*_row(kernel), f"sum += {_number(kernel)};"], ["*sums = sum;"]
        turns = kernel.width == 1
        return ["int32_t t, output = 0;" if turns else clear[0], clear[1]], list(_added(kernel)), []
    if kernel.leaves == kernel.outputs == 2:
        ones = [f"sums[1] = sum - {kernel.trees};", f"sums[0] = {kernel.trees} - sums[1];"]
        return ["int32_t t, sum = 0;"], ["sum -= code;"], ones
    leaf = "-1 - code" if kernel.leaves else "leaf"
    most = kernel.leaves or (1 << kernel.bits)
    vote = [f"sums[{leaf}]++;"]
    if most > kernel.outputs:
        vote = [f"if ({leaf} < {kernel.outputs}) {{", f"    {vote[0]}", "}"]
    return clear, vote, []


def _row(kernel: ForestKernel) -> Iterator[str]:
    """Name the row of a leaf; rows of complete crowns are where the leaf is."""
    if kernel.rows > 1 and not kernel.in_places:
        leaf = "-1 - code" if kernel.leaves else "leaf"
        start = fields_of(kernel)["start"]
        yield (
            f"const int32_t row = {start} + ({leaf});"
            if kernel.leaves
            else (f"const int32_t row = {start} + {leaf};")
        )


def _worth(kernel: ForestKernel) -> tuple[str, str]:
    """Return where rows of numbers are, and which of them a leaf is worth."""
    if kernel.in_places:
        return "worth", f"(i - {1 << kernel.levels}u)"
    at = "0" if kernel.rows == 1 else f"(row < {kernel.rows - 1} ? row : {kernel.rows - 1})"
    return fields_of(kernel)["values"], at


def _number(kernel: ForestKernel) -> str:
    """Return the one number that a leaf is worth."""
    values, at = _worth(kernel)
    return values if kernel.rows == kernel.width == 1 else f"{values}[{at}]"


def _added(kernel: ForestKernel) -> Iterator[str]:
    yield from _row(kernel)
    if kernel.width == 1:
        yield f"sums[output] += {_number(kernel)};"
        yield f"output = output < {kernel.outputs - 1} ? output + 1 : 0;"
        return
    values, at = _worth(kernel)
    yield f"const BIMETAL_FLASH {TYPES[kernel.worth]} *numbers = {values} + {at} * {kernel.width};"
    yield "int32_t k;"
    yield f"for (k = 0; k < {kernel.width}; k++) {{"
    yield "    sums[k] += numbers[k];"
    yield "}"


# Walks: each names a leaf


def _links(kernel: ForestKernel) -> list[str]:
    """Two splits a turn."""
    mask = (1 << kernel.bits) - 1
    split = SPLIT.format(mask=mask, bits=kernel.bits, **fields_of(kernel)).split("\n")
    return _turns(kernel, split, f"leaf == {mask}", "link")


def _short(kernel: ForestKernel) -> list[str]:
    """Two splits a turn."""
    last = kernel.cells - 1 - kernel.turns
    split = TWIG.format(mask=THROUGH, bits=BITS, far=FAR, less=FAR - 1, last=last, **fields_of(kernel))
    return _turns(kernel, split.split("\n"), f"leaf == {THROUGH}", "twig")


def _turns(kernel: ForestKernel, split: list[str], open_: str, link: str) -> list[str]:
    root = fields_of(kernel)["root"]
    return [
        f"int32_t at = {root}, turns = {kernel.turns // 2}, leaf = 0, {link};",
        "bool high;",
        "do {",
        *(f"    {line}" for line in (*split, *split)),
        "} while (--turns > 0);",
        f"if ({open_}) {{",
        "    leaf = 0;",
        "}",
    ]


SPLIT = """link = {link}[at];
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

TWIG = """twig = {twig}[at];
high = {threshold}[at] < x[{feature}[at]];
if (twig >= {far}) {{
    at += high ? twig - {less} : 1;
    if (high && at > {last}) {{
        at = {last};
    }}
}} else {{
    leaf = high ? twig & {mask} : twig >> {bits};
    if (leaf != {mask}) {{
        break;
    }}
    at++;
}}"""
