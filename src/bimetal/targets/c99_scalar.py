"""C99 scalars: how each spelling of the loops is written in C, and the few functions that takes."""

from __future__ import annotations

import math

from bimetal.targets.c99_dot import FUNCTIONS as ROWS
from bimetal.targets.loops import At, Buf, Expr, Lin, Lit, Op, Read, Ref
from bimetal.targets.name import spelled

TYPES = {"f32": "float", "i32": "int32_t", "i16": "int16_t", "i8": "int8_t", "u8": "uint8_t", "b1": "uint8_t"}
"""How an element lies in memory."""

LOCALS = {**TYPES, "b1": "bool"}
"""The type of a named value."""

MEMBERS = {"f32": "f", "i32": "i", "i16": "h", "i8": "c", "u8": "b", "b1": "b"}
"""The view of the scratch memory for each type of element."""

OWNERS = {"state": "s->", "params": "p->", "in": "in->", "out": "out->"}
TURNS = "ijklmnqr"

INFIX = {
    "add": ("+", 5),
    "sub": ("-", 5),
    "mul": ("*", 6),
    "lt": ("<", 0),
    "le": ("<=", 0),
    "eq": ("==", 0),
    "and": ("&&", 0),
    "or": ("||", 0),
    "band": ("&", 0),
    "bor": ("|", 0),
}
"""Operators and how tightly they bind; those of 0 are bracketed wherever they stand inside another."""

FUNCTIONS = {
    "is_so": """/* Clang makes a minimum of a choice, in which -0 and 0 are the same: hide the choice. */
static inline bool is_so(bool yes)
{
#if defined(__clang__) && !defined(__SSE2__) && !defined(__wasm__)
    int hidden = yes;
    __asm__("" : "+r"(hidden));
    return hidden != 0;
#else
    return yes;
#endif
}""",
    "f32_min": """static inline float f32_min(float a, float b)
{
    return is_so(b < a) ? b : a;
}""",
    "f32_max": """static inline float f32_max(float a, float b)
{
    return is_so(a < b) ? b : a;
}""",
    "i32_min": """static inline int32_t i32_min(int32_t a, int32_t b)
{
    return b < a ? b : a;
}""",
    "i32_max": """static inline int32_t i32_max(int32_t a, int32_t b)
{
    return a < b ? b : a;
}""",
    "f32_bits": """static inline int32_t f32_bits(float a)
{
    int32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}""",
    "f32_of_bits": """static inline float f32_of_bits(int32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}""",
    "f32_canonical": """/* Machines give NaN different bits: what is kept or put out has the same ones. */
static inline float f32_canonical(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    if ((bits & UINT32_C(0x7fffffff)) > UINT32_C(0x7f800000)) {
        bits = UINT32_C(0x7fc00000);
    }
    memcpy(&a, &bits, sizeof a);
    return a;
}""",
    "i32_shl": """static inline int32_t i32_shl(int32_t a, int by)
{
    return (int32_t)((uint32_t)a << by);
}""",
    "i32_shr": """/* C leaves >> of a negative number open; this keeps the sign, in one instruction. */
static inline int32_t i32_shr(int32_t a, int by)
{
    return a < 0 ? ~(~a >> by) : a >> by;
}""",
    "i32_mulshr": """static inline int32_t i32_mulshr(int32_t a, int32_t b, int by)
{
    const int64_t wide = (int64_t)a * b + ((int64_t)1 << (by - 1));
    return (int32_t)(wide < 0 ? ~(~wide >> by) : wide >> by);
}""",
    "f32_div": """/* Division in software may round quotients below 2**-126 badly: they are computed anew. */
#if !defined(BIMETAL_SOFT_DIV) && (defined(__AVR__) || (defined(__clang__) \\
    && ((defined(__arm__) && defined(__SOFTFP__)) || (defined(__riscv) && !defined(__riscv_flen)))))
#define BIMETAL_SOFT_DIV
#endif
#if !defined(BIMETAL_SOFT_DIV)
static inline float f32_div(float a, float b)
{
    return a / b;
}
#else
/* Take a positive number apart: a whole number of 24 bits, and its power of two. */
static uint32_t f32_part(uint32_t bits, int *power)
{
    uint32_t part = bits & UINT32_C(0x7fffff);
    *power = (int)(bits >> 23);
    if (*power != 0) {
        return part | UINT32_C(0x800000);
    }
    for (*power = 1; (part & UINT32_C(0x800000)) == 0; *power -= 1) {
        part <<= 1;
    }
    return part;
}

static float f32_div(float a, float b)
{
    float ratio = a / b;
    uint32_t over, under, bits, part, by;
    int power, under_power;
    memcpy(&over, &a, sizeof over);
    memcpy(&under, &b, sizeof under);
    bits = (over ^ under) & UINT32_C(0x80000000);
    over &= UINT32_C(0x7fffffff);
    under &= UINT32_C(0x7fffffff);
    if (over == 0 || under == 0 || over >= UINT32_C(0x7f800000) || under >= UINT32_C(0x7f800000)) {
        return ratio;
    }
    part = f32_part(over, &power);
    by = f32_part(under, &under_power);
    power += 149 - under_power;
    if (power > 23) {
        return ratio;
    }
    if (power < -1) {
        over = 0;
    } else if (power < 0) {
        over = part > by ? 1 : 0;
    } else {
        over = part >= by ? 1 : 0;
        part -= over * by;
        for (; power > 0; power--) {
            part <<= 1;
            over <<= 1;
            if (part >= by) {
                part -= by;
                over |= 1u;
            }
        }
        part <<= 1;
        over += part > by || (part == by && (over & 1u) != 0) ? 1u : 0u;
    }
    bits |= over;
    memcpy(&ratio, &bits, sizeof ratio);
    return ratio;
}
#endif""",
    "f32_sqrt": """/* One instruction, or computed from whole numbers alone (as BIMETAL_SOFT_SQRT asks):
 * never a microcontroller's libm, which need not round correctly. */
#if defined(__ARM_FP) && !defined(__SOFTFP__) && !defined(BIMETAL_SOFT_SQRT)
#if (__ARM_FP & 4) != 0 && defined(__GNUC__) && !defined(__aarch64__)
#define BIMETAL_VSQRT
#endif
#endif
#if defined(BIMETAL_VSQRT)
static inline float f32_sqrt(float a)
{
    float root;
    __asm__("vsqrt.f32 %0, %1" : "=t"(root) : "t"(a));
    return root;
}
#elif !defined(BIMETAL_SOFT_SQRT) && (defined(__SSE2__) || defined(_M_X64) || defined(_M_ARM64) \\
    || defined(__aarch64__) || defined(__riscv_flen) || defined(__s390x__) || defined(__powerpc64__))
static inline float f32_sqrt(float a)
{
    return sqrtf(a);
}
#else
static float f32_sqrt(float a)
{
    uint32_t bits, part, root = 0;
    uint64_t left = 0;
    int32_t power;
    int step;
    memcpy(&bits, &a, sizeof bits);
    if ((bits & UINT32_C(0x7fffffff)) == 0 || bits == UINT32_C(0x7f800000)) {
        return a;
    }
    if (bits > UINT32_C(0x7f800000)) {
        bits = UINT32_C(0x7fc00000);
        memcpy(&a, &bits, sizeof a);
        return a;
    }
    power = (int32_t)(bits >> 23);
    part = bits & UINT32_C(0x7fffff);
    if (power == 0) {
        for (power = 1; (part & UINT32_C(0x800000)) == 0; power--) {
            part <<= 1;
        }
    } else {
        part |= UINT32_C(0x800000);
    }
    if (power % 2 == 0) {
        part <<= 1;
        power -= 1;
    }
    for (step = 0; step < 25; step++) {
        left = (left << 2) | ((((uint64_t)part << 25) >> (48 - 2 * step)) & 3u);
        root <<= 1;
        if (left > ((uint64_t)root << 1)) {
            left -= ((uint64_t)root << 1) + 1u;
            root |= 1u;
        }
    }
    bits = ((uint32_t)((power + 127) / 2) << 23) + ((root + 1u) >> 1) - UINT32_C(0x800000);
    memcpy(&a, &bits, sizeof a);
    return a;
}
#endif""",
    **ROWS,
}


NEEDS = {"f32_min": ("is_so",), "f32_max": ("is_so",), "f32_common": ("f32_min", "is_so")}
"""What the functions need beside them."""


class Scalars:
    """Spells expressions; `used` collects the functions that takes."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def text(self, expr: Expr, bind: int = -1) -> str:
        """Return an expression; `bind` says how tightly what it stands in binds (-1: nothing does)."""
        match expr:
            case Lit():
                return literal(expr.value, expr.dtype) if bind >= 0 else plain(expr.value, expr.dtype)
            case Ref():
                return spelled(expr.name)
            case At():
                text = index(expr.index)
                return f"({text})" if " " in text and bind >= 0 else text
            case Read():
                text = element(expr.buf, expr.index)
                if expr.dtype != "b1":
                    return text
                return f"({text} != 0)" if bind >= 0 else f"{text} != 0"
            case Op():
                return self._op(expr, bind)

    def call(self, name: str, *args: str) -> str:
        """Return a call of one of the functions."""
        self.used |= {name, *NEEDS.get(name, ())}
        return f"{name}({', '.join(args)})"

    def _op(self, expr: Op, bind: int) -> str:
        op, args = expr.op, expr.args
        if op in INFIX:
            return self._infix(expr, bind)
        match op:
            case "neg":
                return f"-{self.text(args[0], 9)}" if bind < 0 else f"(-{self.text(args[0], 9)})"
            case "not":
                return f"!{self.text(args[0], 9)}"
            case "where":
                when = (
                    self.call("is_so", self.text(args[0])) if expr.dtype == "f32" else self.text(args[0], 1)
                )
                text = f"{when} ? {self.text(args[1], 1)} : {self.text(args[2], 1)}"
                return f"({text})" if bind >= 0 else text
            case "cast":
                return self._cast(expr, bind)
            case "min" | "max":
                return self.call(f"{expr.dtype}_{op}", *map(self.text, args))
            case "bits":
                return self.call("f32_bits" if expr.dtype == "i32" else "f32_of_bits", self.text(args[0]))
            case "div":
                return self.call("f32_div", *map(self.text, args))
            case "canon":
                return self.call("f32_canonical", self.text(args[0]))
            case "sqrt":
                return self.call("f32_sqrt", self.text(args[0]))
            case _:
                return self.call(f"i32_{op}", *map(self.text, args), str(expr.attr))

    def _infix(self, expr: Op, bind: int) -> str:
        sign, tight = INFIX[expr.op]
        left, right = expr.args
        first, second = (tight, tight + 1) if tight else (4, 4) if sign in ("<", "<=", "==") else (7, 7)
        text = f"{self.text(left, first)} {sign} {self.text(right, second)}"
        return f"({text})" if bind >= 0 and (tight == 0 or bind > tight) else text

    def _cast(self, expr: Op, bind: int) -> str:
        (arg,) = expr.args
        if bind < 0 and expr.dtype == "i32" and arg.dtype in ("i8", "u8", "i16"):
            return self.text(arg)  # it goes to an int32_t; inside an expression, int may have 16 bits
        return f"({TYPES[expr.dtype]}){self.text(arg, 9)}"


def element(buf: Buf, at: Lin) -> str:
    """Return one element of a buffer."""
    if buf.space == "scratch":
        offset = f" + {index(at)}" if at != Lin() else ""
        return f"scratch.{MEMBERS[buf.dtype]}[{spelled(buf.name)}{offset}]"
    if buf.space == "table":
        return f"{buf.name}[{index(at)}]"
    return f"{OWNERS[buf.space]}{spelled(buf.name)}" + (f"[{index(at)}]" if buf.size > 1 else "")


def index(at: Lin) -> str:
    """Return an affine index."""
    text = ""
    for name, factor in at.terms:
        times = f"{abs(factor)} * " if abs(factor) != 1 else ""
        sign = (" - " if text else "-") if factor < 0 else (" + " if text else "")
        text += f"{sign}{times}{turn(name)}"
    if not text:
        return str(at.const)
    return text + (f" {'-' if at.const < 0 else '+'} {abs(at.const)}" if at.const else "")


def turn(name: str) -> str:
    """Return a variable: i, j, k ... for loops from the outermost in."""
    if name[:1] == "i" and name[1:].isdigit() and int(name[1:]) <= len(TURNS):
        return TURNS[int(name[1:]) - 1]
    return spelled(name)


def literal(value: float | int, dtype: str) -> str:
    """Return a number as it can stand in an expression: negative ones in brackets."""
    text = plain(value, dtype)
    return f"({text})" if text.startswith("-") else text


def plain(value: float | int, dtype: str) -> str:
    """Return a number: short ones in decimal, other floats in hexadecimal, which is exact."""
    if dtype == "b1":
        return "true" if value else "false"
    if dtype != "f32":
        return "-2147483647 - 1" if value == -(2**31) else str(value)
    if math.isnan(value):
        return "NAN"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    size = abs(float(value))
    if math.isinf(size):
        return f"{sign}INFINITY"
    if len(repr(size)) <= 7:
        return f"{sign}{size!r}f"
    digits, power = size.hex().split("p")
    return f"{sign}{digits.rstrip('0').rstrip('.')}p{int(power):+d}f"
