"""C99 dot: a loop that adds up two rows, multiplied or the smaller of each, becomes a call.

A step is one long function: what it keeps at hand from before a loop would crowd out the loop's own pointers.
In a function of its own the loop has all registers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bimetal.targets.loops import Expr, For, Let, Lin, Op, Read, Ref, Set

LEAST = 4
"""Shorter rows are not worth a call."""
SPACES = ("state", "params", "scratch")
NAMES = {"mul": "f32_dot", "min": "f32_common"}
_TEXT = """/* {what}, from left to right; where calls keep floats in registers, apart, so that the loop
 * has some to itself. */
#if defined(__AVR__)
/* Parameters lie in flash, where no pointer to other memory reaches. */
#define {name}(total, a, b, n) __extension__({{ \\
    float sum_ = (total); \\
    for (int16_t k_ = 0; k_ < (n); k_++) {{ \\
        sum_ = sum_ + {flash}; \\
    }} \\
    sum_; \\
}})
#else
#if defined(__GNUC__) && (defined(__arm__) || defined(__riscv))
__attribute__((noinline)) static
#elif defined(__GNUC__)
__attribute__((always_inline)) static inline
#else
static
#endif
float {name}(float total, const float *a, const float *b, int32_t n)
{{
    for (; n >= 4; n -= 4, a += 4, b += 4) {{
        total = total + {of[0]};
        total = total + {of[1]};
        total = total + {of[2]};
        total = total + {of[3]};
    }}
    for (; n > 0; n--, a++, b++) {{
        total = total + {of[0]};
    }}
    return total;
}}
#endif"""
FUNCTIONS = {
    "f32_dot": _TEXT.format(
        name="f32_dot",
        what="Add up the products of two rows",
        of=[f"a[{k}] * b[{k}]" for k in range(4)],
        flash="(a)[k_] * (b)[k_]",
    ),
    "f32_common": _TEXT.format(
        name="f32_common",
        what="Add up the smaller elements of two rows",
        of=[f"f32_min(a[{k}], b[{k}])" for k in range(4)],
        flash="f32_min((a)[k_], (b)[k_])",
    ),
}
"""The functions, in C; f32_common comes after f32_min."""


@dataclass(frozen=True, slots=True)
class Dot:
    """`total` goes on with two rows, `op` of each two elements; told by their first ones, `count` long."""

    op: str
    total: str
    left: Read
    right: Read
    count: int


def dot_of(loop: For) -> Dot | None:
    """Return what a loop adds up, if that is all it does and both rows lie in one piece."""
    *lets, last = loop.body
    if loop.count < LEAST or not isinstance(last, Set):
        return None
    named: dict[str, Expr] = {s.name: s.value for s in lets if isinstance(s, Let)}
    if len(named) != len(lets):
        return None
    match last.value:
        case Op("add", (Ref(total), Op("mul" | "min" as op, (a, b), "f32")), "f32") if total == last.name:
            rows = [_row(named.get(x.name) if isinstance(x, Ref) else x, loop.variable) for x in (a, b)]
        case _:
            return None
    left, right = rows
    return Dot(op, total, left, right, loop.count) if left and right else None


def _row(value: Expr | None, variable: str) -> Read | None:
    """Return the first element of a row of floats that a loop goes along, one after the other."""
    if not isinstance(value, Read) or value.dtype != "f32" or value.buf.space not in SPACES:
        return None
    if dict(value.index.terms).get(variable) != 1:
        return None
    rest = tuple(term for term in value.index.terms if term[0] != variable)
    return replace(value, index=Lin(value.index.const, rest))
