"""Source: a text file as a table: what it looks like, and its rows in blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bimetal.nouns.errors import BadInput
from bimetal.wire.codecs.csv.chunk import UNREADABLE, Text, read_chunks
from bimetal.wire.codecs.csv.parse import Parser
from bimetal.wire.codecs.csv.sample import columns_of, lines_of, sample_rows
from bimetal.wire.table.dialect import Dialect, find_dialect
from bimetal.wire.table.encoding import find_encoding, refuse_foreign
from bimetal.wire.table.source import Block, Look, Want
from bimetal.wire.table.tap import Tap

WHOLE_BYTES = 4 << 20
HEAD_BYTES = 1 << 20
PIECES = 7
PIECE_BYTES = 128 << 10
FIRST_LINES = 600
PACKING = 4


@dataclass(slots=True)
class CsvSource:
    """A table in text; `tap` gives its bytes."""

    tap: Tap
    where: str = field(init=False)
    _text: Text | None = None
    _dialect: Dialect | None = None

    def __post_init__(self) -> None:
        self.where = self.tap.where

    def look(self) -> Look:
        """Return what the table looks like. Raises BadInput when it is no table in text."""
        head, whole = self._head()
        lines = self._lines_of(head, whole=whole)
        self._dialect = dialect = find_dialect(lines[:FIRST_LINES], self.where)
        body = lines[dialect.skip :]
        rows, starts = sample_rows([body, *(self._pieces(len(head)) if not whole else ())], dialect)
        if not rows:
            raise BadInput(
                "there are no rows below the header",
                where=self.where,
                hint="Give a table with readings in it",
            )
        row_bytes = sum(map(len, body)) / max(len(body), 1) + 1
        unpacked = self.tap.bytes_total * (PACKING if self.tap.packed else 1)
        return Look(
            format="CSV",
            headings=dialect.headings,
            sample=columns_of(rows, dialect.width),
            starts=starts,
            whole=whole and len(rows) == len(body),
            bytes_total=self.tap.bytes_total,
            rows_guess=len(body) if whole else int(unpacked / row_bytes),
            header=dialect.header,
            encoding=self._text.encoding if self._text else "",
            separator=dialect.separator,
            marks=dialect.marks,
            notes=dialect.notes,
        )

    def _lines_of(self, head: bytes, *, whole: bool) -> list[str]:
        """Return the whole lines of the first bytes, once it is known how these are text."""
        refuse_foreign(head, self.where)
        encoding, mark = find_encoding(head, self.where, whole=whole)
        text = Text(encoding, mark).decoder()(head[mark:], whole).decode("utf-8", "replace")
        self._text = Text(encoding, mark, "\n" not in text and "\r" in text)
        lines = lines_of(text)
        if whole:
            return lines
        if len(lines) < 3:
            begin = "first line is" if len(lines) < 2 else "first two lines are"
            raise BadInput(
                f"its {begin} longer than {len(head) >> 20} MB",
                where=self.where,
                hint="Give one row in each line",
            )
        return lines[:-1]

    def blocks(self, wants: Sequence[Want]) -> Iterator[Block]:
        """Read the wanted columns in blocks. Raises BadInput for a line that is no line."""
        if self._dialect is None or self._text is None:
            self.look()
        assert self._dialect is not None
        assert self._text is not None
        parser = Parser(self._dialect, tuple(wants))
        skip = self._dialect.skip
        with self.tap.open() as stream:
            for chunk in read_chunks(stream, self._text, self.where):
                while skip and chunk:
                    skip -= 1
                    chunk = chunk[chunk.find(b"\n") + 1 :]
                block = parser.parse(chunk, self.tap.done(stream)) if chunk else None
                if block:
                    yield block

    def _head(self) -> tuple[bytes, bool]:
        """Return the first bytes, and whether they are all there are."""
        limit = WHOLE_BYTES if self.tap.bytes_total <= WHOLE_BYTES and not self.tap.packed else HEAD_BYTES
        try:
            with self.tap.open() as stream:
                head = stream.read(limit)
                return head, len(head) < limit or not stream.read(1)
        except UNREADABLE as error:
            raise BadInput(
                f"it cannot be unpacked: {error}", where=self.where, hint="Copy the file again"
            ) from None

    def _pieces(self, after: int) -> Iterator[list[str]]:
        """Yield lines from places spread over the rest of a large file, its end among them."""
        assert self._text is not None
        if self.tap.packed:
            return
        room = self.tap.bytes_total - after
        with self.tap.open() as stream:
            for piece in range(1, PIECES + 1):
                place = after + max(room - PIECE_BYTES, 0) * piece // PIECES
                stream.seek(place // 4 * 4 + self._text.mark % 4)
                text = Text(self._text.encoding, 0, self._text.bare_cr).decoder()(
                    stream.read(PIECE_BYTES), True
                )
                yield lines_of(text.decode("utf-8", "replace"))[1:-1]
