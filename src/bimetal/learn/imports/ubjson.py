"""UBJSON: the binary form of JSON that XGBoost saves by default, read within bounds.

Source: the Universal Binary JSON specification, draft 12 (numbers big-endian, containers optimised).
"""

from __future__ import annotations

import struct
from typing import Any

NUMBERS = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d"}
CONSTANTS: dict[str, Any] = {"Z": None, "T": True, "F": False}
DEEPEST = 64


def decode(data: bytes) -> Any:
    """Return what UBJSON says; raises ValueError where it is none, is cut off, or is nested too deep."""
    try:
        return _Reader(data).value(0)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise ValueError("it ends too soon, or is not UBJSON") from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self, depth: int, kind: str = "") -> Any:
        """Return the value that comes next, its kind known or read."""
        if depth > DEEPEST:
            raise ValueError(f"it is nested more than {DEEPEST} deep")
        kind = kind or self._marker()
        if kind in CONSTANTS:
            return CONSTANTS[kind]
        if kind in NUMBERS:
            return self._number(kind)
        match kind:
            case "S":
                return self._text()
            case "C":
                return self._take(1).decode("ascii")
            case "[":
                return self._array(depth)
            case "{":
                return self._object(depth)
            case _:
                raise ValueError(f"{kind!r} at byte {self.at - 1} is no kind of value")

    def _array(self, depth: int) -> list[Any]:
        kind, count = self._container()
        if count is not None:
            if kind in NUMBERS:
                form = f">{count}{NUMBERS[kind][1]}"
                return list(struct.unpack(form, self._take(struct.calcsize(form))))
            self._check(count, kind)
            return [self.value(depth + 1, kind) for _ in range(count)]
        found: list[Any] = []
        while self._peek() != "]":
            found.append(self.value(depth + 1))
        self.at += 1
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        kind, count = self._container()
        found: dict[str, Any] = {}
        while len(found) < count if count is not None else self._peek() != "}":
            name = self._text()
            found[name] = self.value(depth + 1, kind)
        self.at += count is None
        return found

    def _container(self) -> tuple[str, int | None]:
        kind = ""
        if self._peek() == "$":
            self.at += 1
            kind = self._marker()
        if self._peek() != "#":
            if kind:
                raise ValueError("a container has a kind but no count")
            return "", None
        self.at += 1
        return kind, self._count()

    def _check(self, count: int, kind: str) -> None:
        if kind in CONSTANTS or count > len(self.data) - self.at:
            raise ValueError(f"a container claims {count} items, more than there are bytes")

    def _text(self) -> str:
        return self._take(self._count()).decode("utf-8")

    def _count(self) -> int:
        kind = self._marker()
        if kind not in NUMBERS or kind in "dD":
            raise ValueError(f"{kind!r} at byte {self.at - 1} cannot count")
        count = int(self._number(kind))
        if count < 0:
            raise ValueError(f"a length of {count}")
        return count

    def _number(self, kind: str) -> Any:
        form = NUMBERS[kind]
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _marker(self) -> str:
        while True:
            kind = self._take(1).decode("latin-1")
            if kind != "N":
                return kind

    def _peek(self) -> str:
        return chr(self.data[self.at])

    def _take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise ValueError("it ends too soon")
        self.at += size
        return self.data[self.at - size : self.at]
