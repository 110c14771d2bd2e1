"""Chunk: a stream of bytes as UTF-8 text in pieces of whole lines."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from bimetal.nouns.errors import BadInput

CHUNK_BYTES = 4 << 20
LONGEST_LINE = 8 << 20
UNREADABLE = (EOFError, OSError, zlib.error)
"""What reading may raise: the last when a packed file is damaged."""


@dataclass(frozen=True, slots=True)
class Text:
    """How bytes become lines: their encoding, the length of its mark, and whether CR alone ends a line."""

    encoding: str
    mark: int
    bare_cr: bool = False

    @property
    def plain(self) -> bool:
        """Whether bytes can be taken as they are."""
        return self.encoding == "utf-8"

    def decoder(self) -> Callable[[bytes, bool], bytes]:
        """Return what turns bytes, piece by piece, into UTF-8 with LF at line ends."""
        decode = None if self.plain else codecs.getincrementaldecoder(self.encoding)("replace").decode

        def turn(piece: bytes, final: bool) -> bytes:
            text = piece if decode is None else decode(piece, final).encode()
            text = text.translate(None, b"\0") if b"\0" in text else text
            return text.replace(b"\r", b"\n") if self.bare_cr else text

        return turn


def read_chunks(stream: BinaryIO, text: Text, where: str, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield a stream as UTF-8 in pieces of whole lines; zero bytes are left out.

    Raises BadInput for a line too long to be one, and for a packed stream that ends early.
    """
    turn = text.decoder()
    rest = b""
    lines = 0
    try:
        stream.read(text.mark)
        while piece := stream.read(size):
            rest += turn(piece, False)
            cut = rest.rfind(b"\n") + 1
            if cut:
                lines += rest.count(b"\n", 0, cut)
                yield rest[:cut]
                rest = rest[cut:]
            if len(rest) > LONGEST_LINE:
                raise BadInput(
                    f"line {lines + 1:,} is longer than {LONGEST_LINE >> 20} MB",
                    where=where,
                    hint="Give one row in each line",
                )
        rest += turn(b"", True)
    except UNREADABLE as error:
        raise BadInput(
            f"it cannot be read past line {lines + 1:,}: {error}", where=where, hint="Copy the file again"
        ) from None
    if rest.strip():
        yield rest + b"\n"
