"""Names: a name of its own for everything that is emitted, near to what it stands for."""

from __future__ import annotations

from bimetal.program.node import Node

HINTS = {
    "reduce": "total",
    "lt": "is",
    "le": "is",
    "eq": "is",
    "and": "is",
    "or": "is",
    "not": "is",
    "gather": "item",
    "sqrt": "root",
    "where": "pick",
    "carry": "held",
    "stack": "row",
    "concat": "row",
    "each": "each",
    "min": "least",
    "max": "most",
    "div": "ratio",
    "mul": "product",
}
WORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const
const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export
extern false final float for friend goto if import inline int long mutable namespace new noexcept not
not_eq nullptr operator or or_eq override private protected public register reinterpret_cast requires
restrict return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
while xor xor_eq asm errno linux unix main NULL EOF INFINITY NAN assert offsetof memset memcpy memcmp
int8_t uint8_t int16_t uint16_t int32_t uint32_t int64_t uint64_t size_t fired far near huge interrupt
padding
"""
RESERVED = frozenset(WORDS.split())
"""Words of C, C++, the headers that emitted code includes, and its structs."""

FOLDER = "all clean help install is package test test_main"
HEADERS = "ctype math stdbool stddef stdint stdio stdlib string"
TAKEN = RESERVED | frozenset(f"{FOLDER} {HEADERS}".split())
"""What a program cannot be called in C: files, targets and functions of its folder have these names."""


class Names:
    """Names that were not given before."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def fresh(self, hint: str) -> str:
        """Return a new name that starts with a hint and ends in a number."""
        self._next[hint] = self._next.get(hint, 0) + 1
        return f"{hint}_{self._next[hint]}"

    def of(self, node: Node) -> str:
        """Return a new name for the value of a node."""
        return self.fresh(hint(node))


def hint(node: Node) -> str:
    """Return a word for the value of a node."""
    return node.name or HINTS.get(node.op, "value")


def spelled(name: str) -> str:
    """Return a name as it can stand in C and C++; different names stay different."""
    plain = name.isascii() and name.isidentifier() and name[0].isalpha() and "__" not in name
    if plain and name not in RESERVED and not name.startswith("f_"):
        return name
    return "f_" + "".join(c if c.isascii() and c.isalnum() else f"u{_code(c)}_" for c in name)


def _code(letter: str) -> str:
    return "" if letter == "_" else f"{ord(letter):x}"
