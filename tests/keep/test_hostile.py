"""A hostile world: full and read-only disks, clocks that jump, names and times nobody expects."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.query import querying
from bimetal.keep.segment import Segments
from bimetal.nouns import Batch, Purpose
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput
from tests.keep.given import PRESSURE, SECOND, START, TEMPERATURE, batch, event, series

ROOT = Path(__file__).parents[2]
LAST_NS = (1 << 63) - 2
NAMES = (
    "größe",
    unicodedata.normalize("NFD", "größe"),
    "設備・一号",
    "'; DROP TABLE held; --",
    "\"quoted\" 'twice'",
    "100%s{}$(id)`id`",
    " leading and trailing ",
    "🧯" * 128,
    "İıſK",
    "NULL",
    "-rf *",
)

FULL_WHILE_SEALING = """
import resource, sys
from pathlib import Path
from bimetal.keep.rule import Rule
from bimetal.keep.segment import Segments
from bimetal.nouns.errors import Unsupported
from tests.keep.given import batch

folder = Path(sys.argv[1])
segments = Segments(folder)
for k in range(8):
    segments.append(batch(4000, start=4000 * k))
    segments.seal() if k < 7 else None
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
for act in (segments.seal, lambda: segments.remove([Rule(device="fan")])):
    before = {p.name: p.read_bytes() for p in (folder / "segments").iterdir()}
    try:
        act()
    except Unsupported as error:
        print(error.what)
    assert {p.name: p.read_bytes() for p in (folder / "segments").iterdir()} == before
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
segments.seal()
assert segments.tend()
segments.close()
"""
READ_ONLY = """
import os, sys
from pathlib import Path
from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.snapshot import look
from bimetal.nouns.errors import NotAllowed

folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)
try:
    Archive(folder)
except NotAllowed as error:
    print(error.what)
with look(folder, Asked()) as seen:
    print(len(seen.waiting) + sum(h.rows for _, held in seen.opened.parts for h in held))
"""


def python(program: str, folder: Path) -> list[str]:
    """What a program says, line by line, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_disk_that_is_full_while_sealing_or_erasing_leaves_all_as_it_was(tmp_path: Path) -> None:
    assert python(FULL_WHILE_SEALING, tmp_path) == ["the disk has no room left"] * 2
    segments = Segments(tmp_path)
    assert segments.batch(["pump"]).readings == 8 * 4000
    segments.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_folder_one_may_not_write_is_read_and_not_opened(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path(f"/tmp/bimetal-read-only-{os.getpid()}")
    folder.mkdir()
    try:
        archive = Archive(folder)
        archive.segments.append(batch(20))
        archive.segments.seal()
        archive.segments.append(batch(10, start=20))
        archive.close()
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        assert python(READ_ONLY, folder) == ["this place cannot be read or written", "60"]
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
        subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_clock_that_jumps_back_costs_nothing(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for start in (1000, 0, 500, -400, 1000):
        archive.segments.append(batch(100, start=start, devices=("pump",), seed=500))
        archive.segments.seal()
    column = archive.segments.read("pump", "pressure")
    assert (np.diff(column.time_ns) > 0).all()
    assert len(column.time_ns) == 400
    kept = Purpose("maintenance", "contract", 400 / 86400)
    purposes = {"temperature": kept, "pressure": kept}
    archive.retain(purposes, START + 1100 * SECOND)
    assert int(archive.segments.read("pump", "pressure").time_ns[0]) == START + 1000 * SECOND
    archive.retain(purposes, START - 9999 * SECOND)
    assert len(archive.segments.read("pump", "pressure").time_ns) == 100
    archive.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_times_from_before_1970_to_the_last_nanosecond_are_kept(tmp_path: Path, sealed: bool) -> None:
    times = np.array([-LAST_NS, -1, 0, 1, 4_294_967_295 * SECOND, LAST_NS], np.int64)
    segments = Segments(tmp_path)
    values = np.arange(6.0)[:, None]
    segments.append(Batch(("pump",), (PRESSURE,), times, np.zeros(6, np.int32), values))
    if sealed:
        segments.seal()
        segments.close()
        segments = Segments(tmp_path)
    assert segments.read("pump", "pressure").time_ns.tolist() == times.tolist()
    assert segments.read("pump", "pressure", -1, 1).value.tolist() == [1.0, 2.0]
    drawn = segments.picture("pump", "pressure", stretches=1)
    assert {-LAST_NS, LAST_NS} <= set(drawn.time_ns.tolist())
    segments.close()


@pytest.mark.parametrize("erased", NAMES)
def test_each_name_is_its_own_and_goes_alone(tmp_path: Path, erased: str) -> None:
    archive = Archive(tmp_path)
    for k in range(2):
        for number, name in enumerate(NAMES):
            archive.segments.append(batch(4, start=4 * k, devices=(name,), seed=number))
        archive.events.append([event(name) for name in NAMES])
        if k == 0:
            archive.segments.seal()
    archive.erase(erased)
    left = archive.segments.batch()
    assert set(left.devices) == set(NAMES) - {erased}
    for number, name in enumerate(NAMES):
        sent = batch(4, devices=(name,), seed=number)
        if name != erased:
            assert series(left, name, "pressure").items() >= series(sent, name, "pressure").items()
    with querying(tmp_path, Asked()) as query:
        doubled = erased.replace("'", "''")
        asked = f"SELECT count(DISTINCT device), count(*) FILTER (WHERE device = '{doubled}') FROM readings"
        assert list(query.ask(asked, 60).rows()) == [(len(NAMES) - 1, 0)]
        assert len({row[0] for row in query.ask("SELECT device FROM events", 60).rows()}) == len(NAMES) - 1
    archive.close()


@settings(max_examples=30)
@given(st.text(min_size=1, max_size=20))
def test_any_name_is_kept_exactly_or_refused(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    archive = Archive(tmp_path_factory.mktemp("kept"))
    try:
        check_device_id(name)
    except BadInput:
        with pytest.raises(BadInput):
            archive.segments.append(batch(2, devices=(name,)))
        assert archive.segments.held() == ()
    else:
        archive.segments.append(batch(2, devices=(name,)))
        archive.segments.seal()
        archive.segments.append(batch(2, start=2, devices=(name,)))
        with querying(archive.folder, Asked(devices=(name,))) as query:
            assert list(query.ask("SELECT device, count(*) FROM readings GROUP BY 1", 60).rows()) == [
                (name, 8)
            ]
    archive.close()


@pytest.mark.parametrize("place", [10, -10, -300])
def test_a_damaged_segment_stops_its_own_readings_and_no_others(tmp_path: Path, place: int) -> None:
    segments = Segments(tmp_path)
    for device in ("pump", "fan"):
        segments.append(batch(50, devices=(device,)))
        segments.seal()
    path = min((tmp_path / "segments").iterdir())
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    for act in (lambda: segments.read("pump", "pressure"), lambda: segments.picture("pump", "pressure")):
        with pytest.raises(BadInput, match="changed or damaged"):
            act()
    assert len(segments.read("fan", "pressure").value) == 50
    segments.append(batch(5, start=99))
    segments.close()
    Segments(tmp_path).close()


@pytest.mark.parametrize("cut", [1, 100, 10**6])
def test_a_truncated_segment_is_said(tmp_path: Path, cut: int) -> None:
    segments = Segments(tmp_path)
    segments.append(batch(50))
    segments.seal()
    path = min((tmp_path / "segments").iterdir())
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BadInput, match="changed or damaged"):
        segments.batch()
    segments.close()
    (tmp_path / "catalog.sqlite").unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        Segments(tmp_path)


def test_infinite_values_are_kept_and_missing_ones_are_not(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    values = np.array([[np.inf], [-np.inf], [np.nan], [5e-324], [-0.0]])
    times = START + np.arange(5, dtype=np.int64)
    segments.append(Batch(("pump",), (TEMPERATURE,), times, np.zeros(5, np.int32), values))
    segments.seal()
    kept = segments.read("pump", "temperature").value
    assert kept.tolist() == [np.inf, -np.inf, 5e-324, 0.0]
    assert np.signbit(kept[-1])
    segments.close()
