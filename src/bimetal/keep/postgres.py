"""PostgreSQL: the tables of a catalog in a database that several machines share, through psycopg 3.

Passwords, certificates and all else that is not in the URL come from the environment, as libpq has them:
https://www.postgresql.org/docs/current/libpq-envars.html. What one process has to itself are advisory
locks of its one connection: with the connection they are lost, and no other takes its place before all
have let go, so that nothing is changed by who only believes to be alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from threading import Event, RLock
from typing import Any
from urllib.parse import urlsplit

from bimetal.keep.database import Busy, Dialect
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound, Unsupported

try:
    psycopg: Any = import_module("psycopg")
except ModuleNotFoundError:
    raise Unsupported(
        "psycopg, which speaks to PostgreSQL, is not installed", hint="pip install 'bimetal[shared]'"
    ) from None

_WAIT_S = 0.05
_OURS_S = 5.0
"""A process that was killed is no longer believed to live after this, if its machine lives."""
_ANSWER_S, _STEP_S = 30.0, 0.1
"""A server that took a question and says nothing for so long, looked at so often, is taken for gone."""
_LINK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": "bimetal",
    "client_encoding": "UTF8",
}
"""A peer that is gone is missed after 25 seconds, here and there."""
_SETTINGS = (
    "SET search_path = bimetal",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
_SPELLED = {
    "INTEGER": "BIGINT",
    "TEXT": 'TEXT COLLATE "C"',
    "BLOB": "BYTEA",
    "REAL": "DOUBLE PRECISION",
    " WITHOUT ROWID": "",
}


class _Link(psycopg.Connection):
    """A connection that does not wait for ever: a server that is stopped still keeps its lines open."""

    def wait(self, gen: Any, *_: Any, **named: Any) -> Any:
        """Go on with what psycopg does; raises OperationalError when there is no answer to it."""
        try:
            return psycopg.Connection.wait(self, _patient(gen), _STEP_S, **named)
        except TimeoutError:
            self.close()
            raise psycopg.OperationalError("no answer came") from None


def _patient(gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Run a generator that is told at each step what is ready; raises TimeoutError after too much nothing."""
    silent, ready = 0, None
    while silent * _STEP_S <= _ANSWER_S:
        try:
            wanted = gen.send(ready)
        except StopIteration as done:
            return done.value
        ready = yield wanted
        silent = 0 if ready else silent + 1
    raise TimeoutError


class _Change:
    """A transaction, of which `?` stands for what is given."""

    def __init__(self, link: Any) -> None:
        self._cursor = link.cursor()

    def execute(self, statement: str, given: Sequence[object], /) -> object:
        return self._cursor.execute(_asked(statement), given)

    def executemany(self, statement: str, given: Iterable[Sequence[object]], /) -> object:
        return self._cursor.executemany(_asked(statement), list(given))


class PostgresDatabase:
    """Tables in the schema `bimetal` of a PostgreSQL database, for one writer or for one who reads.

    A connection that is lost is made anew when nothing rests on the old one. Raises Unsupported when the
    server cannot be reached, NotAllowed when it lets nobody in, BadInput when a writer is there twice.
    """

    dialect = Dialect(
        "SELECT value FROM json_array_elements_text(CAST(? AS JSON))",
        "SELECT value->>0 AS d, value->>1 AS s, CAST(value->>2 AS BIGINT) AS first,"
        " CAST(value->>3 AS BIGINT) AS last FROM json_array_elements(CAST(? AS JSON))",
    )

    def __init__(self, url: str, writer: str = "") -> None:
        parts = urlsplit(url)
        self.where = f"postgresql://{parts.hostname or ''}{parts.path}"
        self._url = url
        self._writer = writer
        self._lock = RLock()
        self._alone = 0
        self._whole = False
        self._link: Any = None
        with self._in_words():
            self._link = self._connected()

    def rows(self, question: str, given: Sequence[object] = ()) -> list[Any]:
        """Return the rows that answer a question, asked again when an idle connection was lost."""
        with self._lock, self._in_words():
            link = self._sound()
            try:
                return link.execute(_asked(question), given).fetchall()
            except psycopg.OperationalError:
                if self._alone or self._whole or not link.closed:
                    raise
                return self._sound().execute(_asked(question), given).fetchall()

    @contextmanager
    def change(self) -> Generator[_Change, None, None]:
        """Make what the block does durable as a whole, or nothing of it."""
        with self._transaction("SET TRANSACTION READ WRITE") as link:
            yield _Change(link)

    @contextmanager
    def look(self) -> Generator[None, None, None]:
        """Let all that the block asks see the same state, whatever others change meanwhile."""
        with self._lock:
            if self._whole:
                yield
                return
            with self._transaction("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"):
                yield

    @contextmanager
    def alone(self, what: str, patience_s: float) -> Generator[bool, None, None]:
        """Yield whether the block has something to itself, of all processes that share the tables."""
        key = _key(what)
        with self._lock:
            self.rows("SELECT 1")
            self._alone += 1
        try:
            ours = _tried(lambda: self._taken(key), patience_s)
            try:
                yield ours
            finally:
                if ours:
                    with suppress(Error):
                        self.rows("SELECT pg_advisory_unlock(?)", (key,))
        finally:
            with self._lock:
                self._alone -= 1

    def check(self, version: int) -> None:
        """Raise NotFound when there are no tables yet, Unsupported when a newer bimetal made them."""
        found = self._version()
        if found is None:
            raise NotFound("nothing is kept here", where=self.where, hint="Start a server that keeps there")
        if found != version:
            raise Unsupported(
                f"this catalog has format {found}, and this bimetal reads {version}",
                where=self.where,
                hint="Install the bimetal that wrote it, or a newer one",
            )

    def make(self, tables: str, version: int) -> None:
        """Make the tables of a format where there are none; raises as `check`."""
        if self.rows("SHOW server_encoding") != [("UTF8",)]:
            hint = "CREATE DATABASE plant ENCODING 'UTF8' TEMPLATE template0"
            raise Unsupported("this database cannot hold every name", where=self.where, hint=hint)
        with self.alone("make", _OURS_S):
            if self._version() is None:
                for ours, theirs in _SPELLED.items():
                    tables = tables.replace(ours, theirs)
                with self._transaction("CREATE SCHEMA IF NOT EXISTS bimetal") as link:
                    link.execute(tables)
                    link.execute("INSERT INTO fact VALUES ('format', %s)", (version,))
            self.check(version)

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    @contextmanager
    def _transaction(self, first: str) -> Generator[Any, None, None]:
        with self._lock, self._in_words():
            self.rows("SELECT 1")
            link = self._sound()
            with link.transaction():
                link.execute(first)
                self._whole = True
                try:
                    yield link
                finally:
                    self._whole = False

    def _version(self) -> int | None:
        if self.rows("SELECT to_regclass('bimetal.fact')") == [(None,)]:
            return None
        return int(self.rows("SELECT value FROM fact WHERE name = 'format'")[0][0])

    def _taken(self, key: int) -> bool:
        return bool(self.rows("SELECT pg_try_advisory_lock(?)", (key,))[0][0])

    def _sound(self) -> Any:
        """Return the connection, or another in its place when nothing rests on it."""
        if self._link.closed:
            if self._alone:
                raise Unsupported("the connection was lost", where=self.where, hint="It is tried again")
            self._link = self._connected()
        return self._link

    def _connected(self) -> Any:
        link = _Link.connect(self._url, autocommit=True, **_LINK)
        try:
            for setting in _SETTINGS:
                link.execute(setting)
            if self._writer:
                self._claim(link)
        except BaseException:
            link.close()
            raise
        return link

    def _claim(self, link: Any) -> None:
        """Take the name of this writer, which a copy of its folder must not have as well."""
        asked = "SELECT pg_try_advisory_lock(%s)", (_key(f"writer {self._writer}"),)
        if not _tried(lambda: link.execute(*asked).fetchone() == (True,), _OURS_S):
            raise BadInput(
                "another process writes under the name of this folder",
                where=self.where,
                hint="Do not run a copy of a folder; if its machine just died, wait half a minute",
            )

    @contextmanager
    def _in_words(self) -> Generator[None, None, None]:
        try:
            yield
        except psycopg.Error as error:
            raise self._words(error) from None

    def _words(self, error: Any) -> Error:
        """Return an error of ours; what libpq says names host and user, and no password."""
        code, said = error.sqlstate or "", " ".join(str(error).split())
        if code.startswith("28") or "password" in said:
            hint = "Put the password into PGPASSWORD, or into ~/.pgpass"
            return NotAllowed("PostgreSQL lets this user not in", where=self.where, hint=hint)
        if code == "42501":
            hint = "Ask its owner: GRANT CREATE ON DATABASE, or what is missing on the schema bimetal"
            return NotAllowed("PostgreSQL refuses this user", where=self.where, hint=hint)
        if code.startswith(("53", "58")):
            return Unsupported("PostgreSQL is full or failing", where=self.where, hint="Give it room")
        if code in ("40001", "40P01", "55P03"):
            return Busy("another server is changing it", where=self.where, hint="Try again in a moment")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            hint = "Is the server running, and its address right?"
            return Unsupported("PostgreSQL cannot be reached", where=self.where, hint=hint)
        return BadInput(f"PostgreSQL refuses this: {said}", where=self.where)


def _tried(act: Callable[[], bool], patience_s: float) -> bool:
    """Try something now and again for so long; returns whether it was done."""
    for left in range(round(patience_s / _WAIT_S), -1, -1):
        if act():
            return True
        Event().wait(_WAIT_S if left else 0.0)
    return False


def _asked(statement: str) -> Any:
    return statement.replace("?", "%s")


def _key(what: str) -> int:
    digest = hashlib.sha256(f"bimetal {what}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
