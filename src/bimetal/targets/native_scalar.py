"""Native scalars: how each spelling of the loops is written in C for many devices, one to a lane of vectors.

The vectors are those of GCC and Clang; where x86 has an instruction that compilers do not find by
themselves (the minimum, a choice between two, the square root) it is named.
"""

from __future__ import annotations

from bimetal.targets.c99_scalar import INFIX, TYPES, Scalars, element, index, plain
from bimetal.targets.lane import ONE_FOR_ALL, Strip, is_shared
from bimetal.targets.loops import At, Buf, Expr, Lin, Lit, Op, Read, Ref
from bimetal.targets.name import spelled

VECTORS = {"f32": "vf"}
"""The type of a named value of all lanes; vi for whole numbers and truths (all bits or none)."""

STRIPS = {"state": "S", "in": "I", "out": "O", "scratch": "T"}


def kind_of(dtype: str) -> str:
    """Return the type of a vector of elements."""
    return VECTORS.get(dtype, "vi")


class LaneScalars:
    """Spells expressions of all lanes; what lanes share is spelled by `plain`, and put into all of them."""

    def __init__(self, shared: frozenset[str], strips: dict[str, Strip], places: dict[str, int]) -> None:
        self.plain = Scalars()
        self._shared = shared
        self._strips = strips
        self._places = places

    def text(self, expr: Expr) -> str:
        """Return an expression of all lanes."""
        if is_shared(expr, self._shared):
            value = self.plain.text(expr)
            return f"i32_all(-({value}))" if expr.dtype == "b1" else f"i32_all({value})"
        match expr:
            case Lit():
                return f"f32_all({plain(expr.value, 'f32')})"
            case Ref():
                return spelled(expr.name)
            case At():
                return self._index(expr.index)
            case Read():
                return self._read(expr)
            case Op():
                return self._op(expr)

    def same_place(self, at: Lin) -> bool:
        """Say whether an index is the same in all lanes."""
        return all(name in self._shared for name, _ in at.terms)

    def strip(self, buf: Buf, at: Lin) -> str:
        """Return the words of all lanes of an element that lies at the same place in all of them."""
        return f"{STRIPS[buf.space]}[{index(at + self._first(buf))}]"

    def places(self, buf: Buf, at: Lin) -> str:
        """Return the place of an element in its strip for every lane."""
        return self._index(at + self._first(buf))

    def _first(self, buf: Buf) -> int:
        return self._places[buf.name] if buf.space == "scratch" else self._strips[buf.space].first[buf.name]

    def _index(self, at: Lin) -> str:
        same = Lin(at.const, tuple(t for t in at.terms if t[0] in self._shared))
        parts = [f"i32_all({index(same)})"] if same != Lin() else []
        parts += [
            spelled(name) + (f" * {factor}" if factor != 1 else "")
            for name, factor in at.terms
            if name not in self._shared
        ]
        return " + ".join(parts)

    def _read(self, expr: Read) -> str:
        buf = expr.buf
        if buf.space in ONE_FOR_ALL:
            if self.same_place(expr.index):
                return f"f32_all({element(buf, expr.index)})"
            whole = buf.name if buf.space == "table" else f"p->{spelled(buf.name)}"
            value = f"{TYPES[buf.dtype]}_from({whole}, {self._index(expr.index)})"
        elif self.same_place(expr.index):
            value = self.strip(buf, expr.index)
        else:
            value = f"lanes_from({STRIPS[buf.space]}, {self.places(buf, expr.index)})"
        if buf.dtype == "f32" and buf.space not in ONE_FOR_ALL:
            return f"(vf){value}"
        return f"({value} != 0)" if buf.dtype == "b1" and buf.space != "scratch" else value

    def _op(self, expr: Op) -> str:
        op, args = expr.op, expr.args
        texts = [self.text(a) for a in args]
        kind = args[0].dtype if args[0].dtype == "f32" else "i32"
        match op:
            case "lt" | "le" | "eq":
                return f"(vi)({texts[0]} {INFIX[op][0]} {texts[1]})"
            case "and" | "or":
                return f"({texts[0]} {INFIX[op][0][0]} {texts[1]})"
            case "div":
                return f"({texts[0]} / {texts[1]})"
            case _ if op in INFIX:
                return f"({texts[0]} {INFIX[op][0]} {texts[1]})"
            case "neg":
                return f"(-{texts[0]})"
            case "not":
                return f"(~{texts[0]})"
            case "where":
                form = "f32" if expr.dtype == "f32" else "i32"
                return f"{form}_pick({', '.join(texts)})"
            case "shl" | "shr":
                return f"({texts[0]} {'<<' if op == 'shl' else '>>'} {expr.attr})"
            case "cast":
                return self._cast(expr, texts[0])
            case "bits":
                return f"({kind_of(expr.dtype)}){texts[0]}"
            case "mulshr":
                return f"i32_mulshr_all({', '.join(texts)}, {expr.attr})"
            case _:
                return f"{kind}_{op}_all({', '.join(texts)})"

    def _cast(self, expr: Op, value: str) -> str:
        (arg,) = expr.args
        if expr.dtype == "f32":
            return f"__builtin_convertvector({value}, vf)"
        if arg.dtype == "f32":
            return f"__builtin_convertvector({value}, vi)"
        if arg.dtype == "b1":
            return f"({value} & 1)"
        if expr.dtype == "u8":
            return f"({value} & 255)"
        left = {"i8": 24, "i16": 16}.get(expr.dtype, 0)
        return f"({value} << {left} >> {left})" if left else value
