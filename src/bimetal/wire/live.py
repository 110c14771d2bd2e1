"""Live: rows of a table scored as they are written, from a stream that may never end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, cast

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.codecs.csv.chunk import LONGEST_LINE, Text
from bimetal.wire.codecs.csv.parse import Parser
from bimetal.wire.codecs.csv.sample import columns_of, lines_of, sample_rows
from bimetal.wire.table.assembly import Assembly
from bimetal.wire.table.cell import number_of
from bimetal.wire.table.dialect import Dialect, find_dialect, split_line
from bimetal.wire.table.encoding import find_encoding, refuse_foreign
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.pivot import Pivot
from bimetal.wire.table.plan import make_plan
from bimetal.wire.table.shape import counted
from bimetal.wire.table.source import Block, Look
from bimetal.wire.table.stretch import Stretch, TableBatch

READ_BYTES = 1 << 16
ENOUGH_LINES = 400
HINT = "Send a header, then one row in each line"

OnBad = Callable[[int, str], None]
"""Told the number of a line, counted from 1, and what is wrong with it."""


def stream_table(
    stream: BinaryIO,
    hints: Hints | None = None,
    expect: Sequence[Signal] = (),
    on_bad: OnBad | None = None,
    on_note: Callable[[str], None] | None = None,
    *,
    where: str = "standard input",
) -> Iterator[TableBatch]:
    """Read rows as they come, without waiting for the end: what has arrived makes a batch.

    The first line may be a header; without one, columns are taken in the order of `expect`, a
    trained model's signals. How cells are written is judged by what comes first, one row at
    the least. A line that cannot be read is told to `on_bad` and still gives a row, with
    missing values; what is worth knowing about the columns is told to `on_note`. Raises BadInput
    when what comes is no table with those signals.
    """
    lines = _Lines(stream, where)
    first = lines.start()
    reader: _Reader | None = None
    waiting = first
    while reader is None:
        reader = _begin(waiting, hints or Hints(), expect, where)
        if reader is None:
            more = lines.next()
            if more is None:
                raise BadInput(
                    "it ended before the first row",
                    where=where,
                    hint=HINT,
                )
            waiting += more
    reader.tell = on_bad
    if on_note:
        for note in reader.notes():
            on_note(note)
    chunk: bytes | None = waiting
    while chunk is not None:
        yield from reader.read(chunk)
        chunk = lines.next()
    yield from reader.finish()


@dataclass(slots=True)
class _Lines:
    """Whole lines of a stream as UTF-8, as soon as they have arrived."""

    stream: BinaryIO
    where: str
    _turn: Callable[[bytes, bool], bytes] | None = None
    _rest: bytes = b""
    _ended: bool = False

    def start(self) -> bytes:
        """Wait for the first line; return it with all that came with it."""
        head = b""
        while not self._ended and b"\n" not in head and b"\r" not in head:
            head += self._take()
            if len(head) > LONGEST_LINE:
                raise BadInput("its first line is too long", where=self.where, hint=HINT)
        if not head:
            raise BadInput("there is nothing in it", where=self.where, hint=HINT)
        refuse_foreign(head, self.where)
        encoding, mark = find_encoding(head, self.where)
        self._turn = Text(encoding, mark, b"\n" not in head).decoder()
        return self._cut(self._turn(head[mark:], self._ended))

    def next(self) -> bytes | None:
        """Wait for more lines; return them, or None at the end of the stream."""
        assert self._turn is not None
        while not self._ended:
            chunk = self._cut(self._turn(self._take(), self._ended))
            if chunk:
                return chunk
        rest, self._rest = self._rest, b""
        return rest + b"\n" if rest.strip() else None

    def _take(self) -> bytes:
        read1 = cast("Callable[[int], bytes] | None", getattr(self.stream, "read1", None))
        piece = read1(READ_BYTES) if read1 else self.stream.readline(READ_BYTES)
        self._ended = not piece
        return piece

    def _cut(self, text: bytes) -> bytes:
        whole = self._rest + text
        cut = whole.rfind(b"\n") + 1
        self._rest = whole[cut:]
        if len(self._rest) > LONGEST_LINE:
            self._rest = self._rest[:64]
        return whole[:cut]


def _begin(waiting: bytes, hints: Hints, expect: Sequence[Signal], where: str) -> _Reader | None:
    """Find out how rows are written; None while there is a header and no row yet."""
    lines = lines_of(waiting.decode("utf-8", "replace"))[:ENOUGH_LINES]
    if not any(line.strip() for line in lines):
        return None
    dialect = find_dialect(lines, where)
    rows, starts = sample_rows([lines[dialect.skip :]], dialect)
    if not rows:
        return None
    look = Look(
        format="CSV",
        headings=dialect.headings,
        sample=columns_of(rows, dialect.width),
        starts=starts,
        whole=False,
        bytes_total=0,
        rows_guess=0,
        header=dialect.header,
        encoding="utf-8",
        separator=dialect.separator,
        marks=dialect.marks,
    )
    plan = replace(make_plan(look, hints, where, expect=expect, live=True), sorts=False)
    assembly = Assembly(plan, "stdin")
    return _Reader(
        dialect, Parser(dialect, plan.wants), assembly, Pivot(assembly) if plan.long else None, dialect.skip
    )


@dataclass(slots=True)
class _Reader:
    """Turns lines into batches, and tells what is wrong with them."""

    dialect: Dialect
    parser: Parser
    assembly: Assembly
    pivot: Pivot | None
    skip: int
    tell: OnBad | None = None
    _line: int = field(default=0)

    def read(self, chunk: bytes) -> Iterator[TableBatch]:
        """Yield the rows of some whole lines as one batch."""
        while self.skip and chunk:
            self.skip -= 1
            self._line += 1
            chunk = chunk[chunk.find(b"\n") + 1 :]
        block = self.parser.parse(chunk, 0) if chunk.strip() else None
        if block and (block.bad or block.mended):
            self._tell(chunk)
        self._line += chunk.count(b"\n")
        if block:
            yield from self._batches(self.pivot.push(block) if self.pivot else self._gathered(block))

    def notes(self) -> tuple[str, ...]:
        """Return what is worth knowing about the columns."""
        shape = self.assembly.plan.shape
        return shape.notes if shape.time else (*shape.notes, shape.time_said)

    def finish(self) -> Iterator[TableBatch]:
        """Yield what was held back, at the end of the stream."""
        if self.pivot:
            yield from self._batches(self.pivot.finish())

    def _gathered(self, block: Block) -> Iterator[Stretch]:
        yield self.assembly.gather(block)

    def _batches(self, stretches: Iterator[Stretch]) -> Iterator[TableBatch]:
        for stretch in stretches:
            settled = self.assembly.settle(stretch)
            yield settled.batch(tuple(self.assembly.devices), self.assembly.plan.shape.signals)

    def _tell(self, chunk: bytes) -> None:
        """Find the lines that have too many or too few cells, or cells that are no numbers."""
        if self.tell is None:
            return
        places = {w.place for w in self.parser.wants if w.form == "number"}
        for at, line in enumerate(chunk.decode("utf-8", "replace").split("\n")[:-1]):
            cells = split_line(line, self.dialect.separator)
            if not line.strip() or (self.dialect.comment and line.lstrip().startswith(self.dialect.comment)):
                continue
            if len(cells) != self.dialect.width:
                width = self.dialect.width
                self.tell(self._line + at + 1, f"it has {counted(len(cells), 'cell')}, not {width}")
                continue
            for place in sorted(places):
                if number_of(cells[place], self.dialect.marks) is None:
                    heading = self.assembly.plan.shape.columns[place] or f"c{place + 1}"
                    self.tell(
                        self._line + at + 1,
                        f"{cells[place].strip()[:40]!r} is no number, in column {heading}",
                    )
