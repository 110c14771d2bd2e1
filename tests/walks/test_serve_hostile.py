"""A server among bad neighbours: each thing is bounded and explained, and nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.keep.given import flip
from tests.walks.test_serve import READING, Running, kept, start
from tests.wire.transports.mqtt_peer import connect, packet, publish, subscribe, text

pytestmark = pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
TS_1970, TS_2106 = 1, 4_294_967_296_000
MB = 1 << 20


def talk(running: Running, *parts: bytes, first: bytes = b"") -> bytes:
    """Introduce a client if given how, say something, and return all that is answered to that."""
    heard = b""
    with socket.create_connection(("127.0.0.1", running.mqtt_port), timeout=20) as one:
        if first:
            one.sendall(first)
            assert one.recv(64)[:1] == b"\x20"
        with suppress(OSError):
            for part in parts:
                one.sendall(part)
            one.shutdown(socket.SHUT_WR)
            while got := one.recv(65_536):
                heard += got
    return heard


def resident(running: Running) -> int:
    """How much memory the server holds."""
    pages = Path(f"/proc/{running.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def files(running: Running) -> int:
    """How many files and sockets the server has open."""
    return len(os.listdir(f"/proc/{running.process.pid}/fd"))


def settled(running: Running, most: int) -> None:
    """Wait until the server has let go of connections."""
    deadline = time.monotonic() + 20
    while files(running) > most:
        assert time.monotonic() < deadline, "connections are left"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all of them; what each does to it, the next would notice."""
    running = start(tmp_path_factory.mktemp("hostile") / "data", "--lab")
    yield running
    with suppress(ProcessLookupError):
        running.stop(signal.SIGKILL)


@pytest.fixture(autouse=True)
def after(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever happened: the server serves on, and no connection is left."""
    if "lab" not in request.fixturenames:
        yield
        return
    running: Running = request.getfixturevalue("lab")
    before = files(running)
    yield
    assert running.post("neighbour", READING)[0] == 200
    assert running.publish("readings/neighbour", READING)
    settled(running, before + 2)


@pytest.mark.parametrize("version", [4, 5])
def test_malformed_packets_of_every_type_end_their_connection_alone(lab: Running, version: int) -> None:
    for kind in range(16):
        for first in (kind << 4, kind << 4 | 0x0F):
            for body in (b"", b"\x00", b"\xff" * 9, text("a") * 3):
                talk(lab, packet(first, body), first=connect("mal", version))
        assert talk(lab, packet(kind << 4, b"\xff" * 9)) == b""
    assert talk(lab, b"\x30\xff\xff\xff\xff\x01", first=connect("mal", 4)) == b""


def test_slow_clients_and_a_flood_of_connections_keep_nobody_waiting(lab: Running) -> None:
    with ExitStack() as stack:
        place = "127.0.0.1", lab.mqtt_port
        many = [stack.enter_context(socket.create_connection(place, timeout=10)) for _ in range(800)]
        for one in many[::2]:
            one.sendall(connect("slow")[:3])  # and never the rest
        begun = time.monotonic()
        assert lab.post("neighbour", READING)[0] == 200
        assert lab.publish("readings/neighbour", READING)
        assert time.monotonic() - begun < 5
        many[0].settimeout(15)
        assert many[0].recv(1) == b"", "who does not introduce itself is let go"


def test_huge_payloads_are_refused_by_both_ways(lab: Running) -> None:
    before = resident(lab)
    for _ in range(5):
        assert b"\x40" not in talk(lab, b"\x32\xff\xff\xff\x7f", b"x" * (4 * MB), first=connect("huge"))
    assert lab.post("huge", b"[" * (5 * MB))[0] == 413
    assert resident(lab) - before < 64 * MB


def test_a_hundred_thousand_topics_fill_neither_memory_nor_what_waits(lab: Running) -> None:
    before = resident(lab)
    with socket.create_connection(("127.0.0.1", lab.mqtt_port), timeout=60) as one:
        one.sendall(connect("bomb", 4))
        assert one.recv(4)[:1] == b"\x20"
        for begin in range(0, 100_000, 1_000):
            bombs = [f"bombs/{k}/{'x' * 50}" for k in range(begin, begin + 1_000)]
            one.sendall(b"".join(publish(t, b"y" * 20, 1, k + 1, 4, flags=1) for k, t in enumerate(bombs)))
            answered = 0
            while answered < 4_000:
                got = one.recv(65_536)
                assert got, "it was cut off"
                answered += len(got)
    assert resident(lab) - before < 200 * MB
    with socket.create_connection(("127.0.0.1", lab.mqtt_port), timeout=10) as looker:
        looker.sendall(connect("looker", 4) + subscribe("bombs/#", version=4))
        looker.settimeout(1)
        found = b""
        with suppress(TimeoutError):
            while got := looker.recv(1 << 20):
                found += got
    assert 1_000 < found.count(b"bombs/") <= 10_000
    sizes = [p.stat().st_size for p in lab.data.rglob("*") if p.is_file() and "quarantine" in p.parts]
    assert sum(sizes) <= 70 * MB


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"ts": %d, "pressure": 1}' % TS_1970, 200),
        (b'{"ts": %d, "pressure": 1}' % TS_2106, 200),
        (b'{"ts": 1e22, "pressure": 1}', 400),
        (b'{"ts": NaN, "pressure": 1}', 400),
        (b'{"ts": 1767225600000, "pressure": NaN}', 400),
        (b'{"ts": 1767225600000, "pressure": 1e999}', 400),
    ],
)
def test_times_far_off_and_numbers_that_are_none(lab: Running, body: bytes, status: int) -> None:
    found, answer = lab.post("far-off", body)
    assert found == status, answer
    if status == 200:
        time_s = json.loads(body)["ts"] / 1000
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s))
        assert asked(
            lab.data, f"SELECT count(*) AS n FROM readings WHERE time >= '{begin}' AND device = 'far-off'"
        )


def asked(data: Path, question: str) -> list[dict[str, object]]:
    """Ask beside the server."""
    words = [sys.executable, "-m", "bimetal", "query", "--data", str(data), "--json", question]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_of_two_of_one_name_the_later_stays(lab: Running) -> None:
    first: socket.socket | None = None
    for _ in range(50):
        second = socket.create_connection(("127.0.0.1", lab.mqtt_port), timeout=10)
        second.sendall(connect("twin", 4))
        assert second.recv(4) == b"\x20\x02\x00\x00"
        if first:
            assert first.recv(16) == b""
            first.close()
        first = second
    assert first
    first.sendall(publish("readings/twin", READING, 1, 7, 4))
    assert first.recv(4) == b"\x40\x02\x00\x07"
    first.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of eight megabytes; only who may do everything can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a disk can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_fills_and_one_that_becomes_read_only(small: Path) -> None:
    data = small / "data"
    running = start(data, "--lab")
    acknowledged = 0
    try:
        (small / "ballast").write_bytes(b"x" * 5 * MB)
        for k in range(2_000):
            said = [{"ts": 1_767_225_600_000 + 1000 * k + j, "pressure": (k * j) ** 0.5} for j in range(900)]
            status, answer = running.post("pump", json.dumps(said).encode())
            if status != 200:
                assert "no room" in str(answer["error"])
                break
            acknowledged += 900
        else:
            pytest.fail("the disk never was full")
        assert running.process.poll() is None
        (small / "ballast").unlink()
        assert running.post("pump-2", READING)[0] == 200, "once there is room again, it goes on"
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=False)
        readonly = not os.access(small, os.W_OK)
        if readonly:
            assert running.post("pump-3", READING)[0] >= 400
            assert running.process.poll() is None
            subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
            assert running.post("pump-3", READING)[0] == 200
    finally:
        _, words = running.stop()
    assert "Traceback" not in words
    found = kept(data)
    assert found["pump", "pressure"] >= acknowledged
    assert found["pump-2", "flow"] == 1


def test_a_disk_that_is_read_only_from_the_start_is_said(small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    words = [sys.executable, "-m", "bimetal", "serve", "--data", str(small / "data"), "--lab"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 5
    assert "cannot be read or written" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_flipped_byte_and_a_newer_catalog_are_said_and_touch_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(data, "--lab")
    for device in ("pump-1", "pump-2"):
        assert running.post(device, READING)[0] == 200
        running.stop()
        running = start(data, "--lab")
    segment = sorted((data / "segments").glob("*.parquet"))[0]
    flip(segment, segment.stat().st_size // 2)
    assert running.post("pump-3", READING)[0] == 200, "a damaged segment stops nothing that is new"
    words = [sys.executable, "-m", "bimetal", "query", "--data", str(data), "FROM readings"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert segment.name in done.stderr
    assert running.stop()[0] == 0
    with sqlite3.connect(data / "catalog.sqlite") as book:
        book.execute("PRAGMA user_version = 1000")
    before = {p: p.read_bytes() for p in data.rglob("*") if p.is_file()}
    words = [sys.executable, "-m", "bimetal", "serve", "--data", str(data), "--lab"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "newer" in done.stderr
    assert "Traceback" not in done.stderr
    assert {p: p.read_bytes() for p in data.rglob("*") if p.is_file()} == before
