"""Call graph: the deepest stack that a function and all it calls may take, as the compiler says.

Two things GCC writes: with `-fcallgraph-info=su` a graph in VCG of who calls whom, with the bytes of every
function it compiled (GCC 10 and later); with `-fstack-usage` a list of functions and bytes alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from bimetal.nouns.errors import Unsupported

_NODE = re.compile(r'^node: \{ title: "([^"]*)" label: "([^"]*)"', re.MULTILINE)
_EDGE = re.compile(r'^edge: \{ sourcename: "([^"]*)" targetname: "([^"]*)"', re.MULTILINE)
_TAKES = re.compile(r"\\n(\d+) bytes \((\w[\w,]*)\)")
_LINE = re.compile(r"^.*?:\d+:\d+:(\S+)\t(\d+)\t(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CallGraph:
    """Bytes of stack of every function that was compiled, and what each calls.

    A function that is called but was not compiled is the compiler's library's.
    """

    takes: Mapping[str, int]
    calls: Mapping[str, frozenset[str]]

    def deepest(self, entry: str, library_bytes: int) -> int:
        """Return the most bytes of stack of a function with all it calls.

        `library_bytes` is what a call of the library takes. Raises Unsupported for a function that was
        not compiled, or where calls go round in a circle.
        """
        if entry not in self.takes:
            raise Unsupported(f"the compiler does not say what {entry} takes", where="stack")
        return self._deepest(entry, library_bytes, ())

    def _deepest(self, name: str, library_bytes: int, path: tuple[str, ...]) -> int:
        if name in path:
            raise Unsupported(f"{' calls '.join((*path, name))}, so that no stack suffices", where="stack")
        if name not in self.takes:
            return library_bytes
        below = (self._deepest(c, library_bytes, (*path, name)) for c in self.calls.get(name, frozenset()))
        return self.takes[name] + max(below, default=0)


def graph_of(text: str) -> CallGraph:
    """Read what -fcallgraph-info=su wrote; raises Unsupported where a function takes what nobody knows."""
    takes: dict[str, int] = {}
    for title, label in _NODE.findall(text):
        found = _TAKES.search(label)
        if found:
            takes[_plain(title)] = _bounded(title, int(found[1]), found[2])
    calls: dict[str, set[str]] = {}
    for source, target in _EDGE.findall(text):
        calls.setdefault(_plain(source), set()).add(_plain(target))
    return CallGraph(takes, {name: frozenset(called) for name, called in calls.items()})


def chain_of(text: str, entry: str) -> CallGraph:
    """Read what -fstack-usage wrote, where nobody says who calls whom.

    As if each function called the next, `entry` the first and the last one the library: no true path is
    deeper, for emitted code does not call round in circles.
    """
    found = {name: _bounded(name, int(size), how) for name, size, how in _LINE.findall(text)}
    path = [entry, *(name for name in found if name != entry), ""]
    return CallGraph(found, {a: frozenset([b]) for a, b in pairwise(path)})


def _plain(title: str) -> str:
    """Return a function's name without the file that a static one is named with."""
    return title.rsplit(":", 1)[-1]


def _bounded(name: str, size: int, how: str) -> int:
    if how == "dynamic":
        raise Unsupported(f"{_plain(name)} takes as much stack as it likes", where="stack")
    return size
