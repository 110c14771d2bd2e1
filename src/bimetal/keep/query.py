"""Query: questions in SQL about what a folder keeps, answered by DuckDB, which can change nothing.

| table | columns |
| --- | --- |
| `readings` | `device`, `signal`, `time`, `value`, `quality` (0 good, 1 doubtful, 2 bad) |
| `events` | `time`, `since`, `device`, `kind`, `score`, `alarm`, `cause`, `confidence`, `sentence`, and |
| | `explanation` |
| `signals` | `name`, `unit`, `quantity`, `period_s`, `low`, `high` |
| `quarantine` | `number`, `time`, `topic`, `client`, `reason`, `payload` |

Every reading that was acknowledged before is there once, as it was corrected last, all as of one
instant. Times are TIMESTAMP WITH TIME ZONE in UTC, to the microsecond, or to the nanosecond where any
reading that may be asked for needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, TypeVar

from bimetal.keep.answer import Answer
from bimetal.keep.arrow import Table, pa
from bimetal.keep.asked import EARLIEST_NS, LATEST_NS, Asked
from bimetal.keep.duck import SCHEME, SegmentFiles, db
from bimetal.keep.event_line import time_text
from bimetal.keep.segment_file import is_fine, needs_nanoseconds, table_of
from bimetal.keep.snapshot import Snapshot, look
from bimetal.keep.sql_table import event_table, quarantine_table, signal_table
from bimetal.nouns.errors import BadInput, Error, NotAllowed, Unsupported

_MEMORY = "1GB"
_ROWS = 1 << 14
_COLUMNS = "device, signal, time, value, quality"
_LOCKED = (
    "enable_external_access = false",
    "python_enable_replacements = false",
    "lock_configuration = true",
)
_LISTING = ("show", "schema", "duckdb_", "pg_")
"""Words of questions about which tables there are."""
_T = TypeVar("_T")


@contextmanager
def querying(folder: Path, asked: Asked) -> Generator[Query, None, None]:
    """Look at what a folder keeps, or at the part of its readings that is asked for; raises as `look`."""
    with look(folder, asked) as snapshot:
        query = Query(folder, snapshot, asked)
        try:
            yield query
        finally:
            query.close()


class Query:
    """What a folder keeps at one instant, to be asked about, one question at a time."""

    def __init__(self, folder: Path, snapshot: Snapshot, asked: Asked) -> None:
        parts = [file for file, _ in snapshot.opened.parts]
        files = {str(k): file.checked for k, file in enumerate(parts)}
        fine = any(needs_nanoseconds(rows.time_ns) for rows in (snapshot.waiting, snapshot.corrected))
        units = [is_fine(file.sealed.name) for file in parts]
        self._files = SegmentFiles(files)
        self._worker = ThreadPoolExecutor(max_workers=1)
        self._late = False
        self._timer: Timer | None = None
        self._later: dict[str, Callable[[], Table]] = {
            "events": lambda: event_table(folder, asked, snapshot.erasing),
            "signals": lambda: signal_table(snapshot),
            "quarantine": lambda: quarantine_table(folder, asked),
        }
        self._reader: Any = None
        self._db = db.connect(config={"memory_limit": _MEMORY, "temp_directory": ""})
        self._db.register_filesystem(self._files)
        self._db.execute("SET TimeZone = 'UTC'; CREATE SCHEMA kept")
        self._make("kept.waiting", table_of(snapshot.waiting, fine))
        self._make("kept.corrected", table_of(snapshot.corrected, fine))
        paths = [f"{SCHEME}://{name}" for name in files]
        self._db.execute(f"SET allowed_paths = [{_texts(paths)}]")
        # Of a list of files, the first would say how exact the times of all are.
        alike = [[p for p, u in zip(paths, units, strict=True) if u == unit] for unit in (False, True)]
        with self._in_words():
            self._db.execute(f"CREATE VIEW readings AS {_readings(alike, snapshot, asked)}")
        for setting in _LOCKED:
            self._db.execute(f"SET {setting}")

    def ask(self, question: str, seconds: float) -> Answer:
        """Answer one question within so many seconds; the rows are found while they are read.

        Raises BadInput for SQL that means nothing here or takes too long, NotAllowed for SQL that
        would do more than ask, Unsupported when it needs more memory than it may have.
        """
        with self._in_words():
            said = db.extract_statements(question)
        if len(said) != 1:
            raise BadInput(f"this is {len(said)} questions", hint="Ask one at a time")
        kind = said[0].type.name
        if kind != "SELECT":
            raise NotAllowed(
                f"a query may only ask, and this is {kind}",
                hint="Begin it with SELECT, FROM, WITH, DESCRIBE, SUMMARIZE or SHOW",
            )
        self._end()
        self._make_named(question.lower())
        self._begin(seconds)
        self._reader = self._run(lambda: self._db.sql(question).to_arrow_reader(_ROWS))
        return Answer(self._reader.schema, self._parts(self._reader))

    def close(self) -> None:
        """Let go of everything."""
        self._end()
        self._worker.shutdown()
        self._db.close()

    def _parts(self, reader: Any) -> Iterator[Table]:
        while (batch := self._run(lambda: next(reader, None))) is not None:
            yield pa.Table.from_batches([batch])
        self._end()

    def _begin(self, seconds: float) -> None:
        self._late, self._files.failed = False, None
        self._timer = Timer(seconds, self._run_late)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        """End what was asked before, answered or not."""
        if self._timer is not None:
            self._timer.cancel()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _run(self, act: Callable[[], _T]) -> _T:
        """Do something that may take long where an interruption reaches us, and then it."""
        doing = self._worker.submit(act)
        try:
            with self._in_words():
                return doing.result()
        except BaseException:
            while not doing.done():
                self._db.interrupt()
                wait([doing], 0.05)
            raise

    def _run_late(self) -> None:
        self._late = True
        self._db.interrupt()

    def _make_named(self, question: str) -> None:
        for name in list(self._later):
            if any(word in question for word in (name, *_LISTING)):
                self._make(name, self._later.pop(name)())

    def _make(self, name: str, table: Table) -> None:
        self._db.register("arriving", table)
        self._db.execute(f"CREATE TABLE {name} AS SELECT * FROM arriving")
        self._db.unregister("arriving")

    @contextmanager
    def _in_words(self) -> Generator[None, None, None]:
        try:
            yield
        except (db.Error, pa.ArrowException, OSError) as error:
            raise self._words(" ".join(str(error).split("\n\nLINE")[0].split())) from None

    def _words(self, said: str) -> Error:
        """Return an error of ours for what DuckDB said, itself or through Arrow, which names no kinds."""
        if self._files.failed is not None:
            return self._files.failed
        if self._late:
            hint = "Ask for less, say with --since, or allow more --seconds"
            return BadInput("the query takes too long", hint=hint)
        if said.startswith("Out of Memory Error"):
            hint = "Ask for less, say with --since"
            return Unsupported(f"the query needs more than {_MEMORY} of memory", hint=hint)
        if said.startswith("Permission Error"):
            hint = "Ask of readings or events"
            return NotAllowed("a query may read what is kept, and no files", hint=hint)
        return BadInput(said)


def _readings(alike: Sequence[Sequence[str]], snapshot: Snapshot, asked: Asked) -> str:
    """Return the view `readings`: what is sealed and right, and what waits; files in lists of a kind."""
    parts = [f"SELECT {_COLUMNS} FROM kept.waiting"]
    for paths in filter(None, alike):
        sealed = f"SELECT {_COLUMNS} FROM read_parquet([{_texts(paths)}])"
        if len(snapshot.corrected):
            sealed += " ANTI JOIN kept.corrected USING (device, signal, time)"
        parts.append(sealed)
    whole = " UNION ALL ".join(parts)
    limits = [f"time >= {_instant(asked.since_ns)}"] if asked.since_ns != EARLIEST_NS else []
    limits += [f"time < {_instant(asked.until_ns)}"] if asked.until_ns != LATEST_NS else []
    limits += [f"device IN ({_texts(asked.devices)})"] if asked.devices else []
    limits += [f"signal IN ({_texts(asked.signals)})"] if asked.signals else []
    limits += [f"device NOT IN ({_texts(snapshot.erasing)})"] if snapshot.erasing else []
    return f"SELECT {_COLUMNS} FROM ({whole})" + (f" WHERE {' AND '.join(limits)}" if limits else "")


def _instant(time_ns: int) -> str:
    """Return an instant in SQL; one that is finer than a column is compared as it is, not rounded."""
    kind = "TIMESTAMPTZ_NS" if time_ns % 1_000 else "TIMESTAMPTZ"
    return f"'{time_text(time_ns)}'::{kind}"


def _texts(texts: Sequence[str]) -> str:
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
