"""The place: what archive.toml may say, and that segments are of one catalog only."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.place import FILE, Place, place_of, settle
from bimetal.keep.snapshot import look
from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from tests.keep.given import batch


def said(folder: Path, text: str) -> Place:
    (folder / FILE).write_text(text, "utf-8")
    return place_of(folder)


def test_a_folder_that_says_nothing_keeps_everything_in_itself(tmp_path: Path) -> None:
    assert place_of(tmp_path) == Place(tmp_path)
    assert not place_of(tmp_path).elsewhere


def test_what_is_settled_is_read_again_and_never_changed(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    settle(folder, "", "")
    assert not folder.exists()
    settle(folder, "postgresql://db.example/plant", 's3://b/"odd\\')
    wanted = Place(folder, "postgresql://db.example/plant", 's3://b/"odd\\')
    assert place_of(folder) == wanted
    settle(folder, wanted.catalog, wanted.segments)
    settle(folder, "", "")
    with pytest.raises(BadInput, match="new folder"):
        settle(folder, wanted.catalog, "s3://other")
    assert place_of(folder) == wanted


def test_a_folder_that_keeps_its_readings_in_itself_goes_on_doing_so(tmp_path: Path) -> None:
    Archive(tmp_path).close()
    with pytest.raises(BadInput, match="new folder"):
        settle(tmp_path, "postgresql://db.example/plant", "s3://bucket")
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("catalog = ", "no TOML"),
        ("catalog = 3", "not known"),
        ('katalog = "postgresql://x/y"', "not known"),
        ('catalog = "mysql://x/y"\nsegments = "s3://b"', "no database that is known"),
        ('catalog = "postgresql://x/y"', "nobody else can read"),
        ('segments = "gs://b"', "no place that is known"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(BadInput, match=what) as refused:
        said(tmp_path, text)
    assert FILE in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://plant:geheim@x/y",
        "postgresql://x/y?password=geheim",
        "postgresql://x/y?sslpassword=geheim",
    ],
)
def test_a_password_in_the_file_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(NotAllowed, match="PGPASSWORD") as refused:
        settle(tmp_path / "a", url, "s3://b")
    assert "geheim" not in str(refused.value)
    assert not (tmp_path / "a").exists()


def test_segments_may_lie_in_another_folder_and_are_of_one_catalog(tmp_path: Path) -> None:
    big = str(tmp_path / "big")
    settle(tmp_path / "a", "", big)
    archive = Archive(tmp_path / "a")
    archive.segments.append(batch(20))
    archive.segments.seal()
    archive.close()
    assert list((tmp_path / "a").rglob("*.parquet")) == []
    assert len(list((tmp_path / "big").glob("*.parquet"))) == 1
    with look(tmp_path / "a", Asked()) as seen:
        assert len(seen.opened.parts) == 1
    archive = Archive(tmp_path / "a")
    assert archive.segments.batch().readings == 40
    archive.close()
    settle(tmp_path / "b", "", big)
    with pytest.raises(NotAllowed, match="another catalog"):
        Archive(tmp_path / "b")
    (tmp_path / "a" / "catalog.sqlite").unlink()
    with pytest.raises(NotAllowed, match="restore the catalog"):
        Archive(tmp_path / "a")
    assert len(list((tmp_path / "big").glob("*.parquet"))) == 1


def test_segments_that_nobody_marked_are_not_taken(tmp_path: Path) -> None:
    Archive(tmp_path / "a").close()
    (tmp_path / "a" / "segments" / f"{1:016d}-{2:016d}-000000.parquet").write_bytes(b"of somebody")
    settle(tmp_path / "b", "", str(tmp_path / "a" / "segments"))
    with pytest.raises(NotAllowed, match="another catalog"):
        Archive(tmp_path / "b")


def test_a_reader_of_nothing_is_told(tmp_path: Path) -> None:
    settle(tmp_path / "a", "", str(tmp_path / "big"))
    with pytest.raises(NotFound, match="nothing is kept"), look(tmp_path / "a", Asked()):
        pass
