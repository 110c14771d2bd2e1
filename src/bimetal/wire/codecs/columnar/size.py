"""Size: how many bytes an Arrow IPC stream will become, reckoned without unpacking anything.

A compressed buffer says its size in its first eight bytes (Arrow's format, "Buffer compression");
where the buffers are stands in the flatbuffer before each body. pyarrow does not tell either.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

MOST_MESSAGES = 10_000
_CONTINUATION = 0xFFFFFFFF
_DICTIONARY, _BATCH = 2, 3


def unpacked_bytes(payload: bytes) -> int:
    """Return the bytes of all buffers of a stream once unpacked; raises ValueError for what is no stream."""
    total = 0
    for kind, head, body in _messages(payload):
        table = head.table(1) if head and kind == _DICTIONARY else head
        if table and kind in (_DICTIONARY, _BATCH):
            total += _batch_bytes(table, body)
    return total


class _Table:
    """A table in a flatbuffer; places beyond its end raise ValueError."""

    def __init__(self, content: memoryview, at: int) -> None:
        self._content, self._at = content, at
        self._fields = at - _read("<i", content, at)

    def place(self, field: int) -> int | None:
        """Return where a field is, None for one that is not set."""
        if 4 + 2 * field >= _read("<H", self._content, self._fields):
            return None
        offset = _read("<H", self._content, self._fields + 4 + 2 * field)
        return self._at + offset if offset else None

    def number(self, field: int, form: str) -> int:
        """Return a number, 0 for one that is not set."""
        place = self.place(field)
        return 0 if place is None else _read(form, self._content, place)

    def table(self, field: int) -> _Table | None:
        """Return a table that a field points to."""
        place = self.place(field)
        return None if place is None else _Table(self._content, place + _read("<I", self._content, place))

    def pairs(self, field: int) -> Iterator[tuple[int, int]]:
        """Yield the structs of two 64-bit numbers that a field points to."""
        place = self.place(field)
        if place is not None:
            start = place + _read("<I", self._content, place)
            for k in range(_read("<I", self._content, start)):
                at = start + 4 + 16 * k
                yield _read("<q", self._content, at), _read("<q", self._content, at + 8)


def _messages(payload: bytes) -> Iterator[tuple[int, _Table | None, memoryview]]:
    content, at = memoryview(payload), 0
    for _ in range(MOST_MESSAGES):
        if len(content) - at < 4:
            return
        length = _read("<I", content, at)
        at += 4
        if length == _CONTINUATION:
            length = _read("<I", content, at)
            at += 4
        if length == 0:
            return
        head = content[at : at + length]
        message = _Table(head, _read("<I", head, 0))
        at += length
        size = message.number(3, "<q")
        if not 0 <= size <= len(content) - at:
            raise ValueError("it ends before its last buffer")
        yield message.number(1, "<B"), message.table(2), content[at : at + size]
        at += size
    raise ValueError(f"it has more than {MOST_MESSAGES:,} messages")


def _batch_bytes(table: _Table, body: memoryview) -> int:
    packed, total = table.place(3) is not None, 0
    for offset, length in table.pairs(2):
        if not (0 <= offset <= len(body) and 0 <= length <= len(body) - offset):
            raise ValueError("a buffer of it lies outside")
        size = _read("<q", body, offset) if packed and length >= 8 else length
        total += length if size < 0 else size  # -1: this one is not packed
    return total


def _read(form: str, content: memoryview, at: int) -> int:
    try:
        if at < 0:
            raise ValueError("it points outside")
        return int(struct.unpack_from(form, content, at)[0])
    except struct.error:
        raise ValueError("it points outside") from None
