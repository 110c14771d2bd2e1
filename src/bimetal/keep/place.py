"""Place: where the catalog and the segments of a folder are: in it, or where its archive.toml says.

    catalog = "postgresql://db.example/plant"     # left out: catalog.sqlite in the folder
    segments = "s3://plant-segments/2027"         # or the path of a shared folder

Passwords and keys are never there: they come from the environment, as libpq and AWS have them.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from bimetal.keep.catalog import TABLES, VERSION, Catalog, fact, note
from bimetal.keep.database import SqliteDatabase, open_database, reading_database
from bimetal.keep.disk import in_words, make_folder, sweep_unfinished, write_whole
from bimetal.keep.segment_file import span_of
from bimetal.keep.store import Folder, Store
from bimetal.nouns.errors import BadInput, NotAllowed, NotFound

FILE = "archive.toml"
_SQLITE = "catalog.sqlite"
_OWN = "own.sqlite"
_OWN_TABLES = "CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
_MARK = "archive"
"""The file of a store that says to which catalog it belongs, so that no other sweeps it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are; empty: in the folder. Raises as `check` does."""

    folder: Path
    catalog: str = ""
    segments: str = ""

    def __post_init__(self) -> None:
        where = str(self.folder / FILE)
        if self.catalog and urlsplit(self.catalog).scheme not in ("postgresql", "postgres"):
            raise BadInput(
                "the catalog is in no database that is known", where=where, hint="postgresql://host/database"
            )
        if self.segments and "://" in self.segments and not self.segments.startswith("s3://"):
            raise BadInput(
                "the segments are in no place that is known",
                where=where,
                hint="s3://bucket/prefix, or a path",
            )
        if self.catalog and not self.segments:
            raise BadInput(
                "a catalog elsewhere is shared, and nobody else can read segments in this folder",
                where=where,
                hint="Say where the segments are: s3://bucket/prefix, or the path of a shared folder",
            )
        for url in (self.catalog, self.segments):
            parts = urlsplit(url)
            if parts.password or any("password" in key for key, _ in parse_qsl(parts.query)):
                raise NotAllowed(
                    "a password does not belong into this file",
                    where=where,
                    hint="Put it into PGPASSWORD, or into ~/.pgpass",
                )

    @property
    def elsewhere(self) -> bool:
        """Whether any of it is not in the folder."""
        return bool(self.catalog or self.segments)


def place_of(folder: Path) -> Place:
    """Return where the catalog and the segments of a folder are; raises BadInput, NotAllowed."""
    path = folder / FILE
    if not path.exists():
        return Place(folder)
    with in_words(path):
        content = path.read_bytes()
    try:
        said = tomllib.loads(content.decode())
    except ValueError as error:
        raise BadInput(f"this is no TOML: {error}", where=str(path)) from None
    odd = sorted(k for k, v in said.items() if k not in ("catalog", "segments") or not isinstance(v, str))
    if odd:
        raise BadInput(f"{odd[0]!a} is not known", where=str(path), hint="Say catalog and segments")
    return Place(folder, **said)


def settle(folder: Path, catalog: str, segments: str) -> None:
    """Note in a folder where its catalog and segments are; raises BadInput when it has them already."""
    wanted = Place(folder, catalog, segments)
    if wanted.elsewhere and wanted != place_of(folder):
        if (folder / FILE).exists() or (folder / _SQLITE).exists():
            raise BadInput(
                "this folder keeps its readings elsewhere, or in itself",
                where=str(folder),
                hint="Take a new folder",
            )
        make_folder(folder)
        lines = [f"{k} = {_quoted(v)}" for k, v in (("catalog", catalog), ("segments", segments)) if v]
        write_whole(folder / FILE, "\n".join([*lines, ""]).encode())


def open_place(place: Place) -> tuple[Catalog, Store]:
    """Open what a folder that this process holds keeps, to write; raises as each part does."""
    if not place.elsewhere:
        return Catalog.open(place.folder / _SQLITE), store_of(place, writing=True)
    if place.catalog and (place.folder / _SQLITE).exists():
        raise BadInput(
            "this folder keeps its readings in itself", where=str(place.folder), hint="Take a new folder"
        )
    catalog = _shared_catalog(place) if place.catalog else Catalog.open(place.folder / _SQLITE)
    try:
        store = store_of(place, writing=True)
        _bind(catalog, store)
    except BaseException:
        catalog.close()
        raise
    return catalog, store


def check_begun(place: Place) -> None:
    """Raise NotFound where nothing was ever kept; a catalog elsewhere is not asked."""
    if not place.catalog and not (place.folder / _SQLITE).exists():
        raise NotFound(
            "nothing is kept here", where=str(place.folder), hint="Name the folder given as --data"
        )


@contextmanager
def reading_catalog(place: Place) -> Generator[Catalog, None, None]:
    """Read the catalog of a folder as it is at one instant, beside whoever writes it.

    Raises NotFound when nothing is kept there.
    """
    check_begun(place)
    if not place.catalog:
        with Catalog.reading(place.folder / _SQLITE) as book:
            yield book
        return
    from bimetal.keep.postgres import PostgresDatabase

    writer = _writer_of(place.folder)
    with closing(PostgresDatabase(place.catalog)) as database:
        database.check(VERSION)
        with database.look():
            yield Catalog(database, database.close, writer=writer)


def _shared_catalog(place: Place) -> Catalog:
    from bimetal.keep.postgres import PostgresDatabase

    own = open_database(place.folder / _OWN, _OWN_TABLES, 1)
    writer = _named(own)
    database = PostgresDatabase(place.catalog, writer)

    def let_go() -> None:
        own.close()
        database.close()

    try:
        database.make(TABLES, VERSION)
        return Catalog(database, let_go, own, writer)
    except BaseException:
        let_go()
        raise


def _named(own: SqliteDatabase) -> str:
    """Return by which name the catalog knows this folder, made when there is none."""
    number = fact(own, "writer")
    if number is None:
        number = secrets.randbits(62)
        with own.change() as db:
            note(db, "writer", number)
    return f"{number:016x}"


def _writer_of(folder: Path) -> str:
    """Return by which name the catalog knows a folder, one that nobody has when it never wrote."""
    if not (folder / _OWN).exists():
        return "-"
    with reading_database(folder / _OWN, _OWN_TABLES, 1) as own:
        number = fact(own, "writer")
    return "-" if number is None else f"{number:016x}"


def store_of(place: Place, *, writing: bool = False) -> Store:
    """Return where the segments of a folder are; to write, local folders are made when they are not there."""
    inside = place.folder / "segments"
    if place.segments.startswith("s3://"):
        from bimetal.keep.bucket import Bucket

        if writing:
            make_folder(inside)
            sweep_unfinished(inside)
        return Bucket(place.segments, inside)
    path = Path(place.segments) if place.segments else inside
    if writing:
        make_folder(path)
    return Folder(path)


def _bind(catalog: Catalog, store: Store) -> None:
    """See to it that these segments are of this catalog and no other; raises NotAllowed."""
    with catalog.alone("bind"):
        names = store.names()
        found = _read(store) if _MARK in names else ""
        known = catalog.identity()
        if known is None and not found and not any(span_of(name) for name in names):
            known = catalog.identify(secrets.randbits(62))
        said = f"{known:016x}" if known is not None else ""
        if not found and said and not catalog.segments():
            with store.new(_MARK) as path:
                path.write_text(said, "ascii")
            found = said
        if found != said or not found:
            raise NotAllowed(
                "these segments are of another catalog, or it was lost",
                where=str(store),
                hint="Take an empty place, or restore the catalog from a backup",
            )


def _read(store: Store) -> str:
    with closing(store.open(_MARK)) as file:
        return file.read(0, 64).decode("ascii", "replace")


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise BadInput("this holds a character that no place has", where=f"{text!a}"[:80])
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
