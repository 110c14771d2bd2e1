"""Whether a server that is half busy for hours stays as it was: memory, files, threads, disk, latency.

Run: python -m bench.soak [--hours 2] [--rate MESSAGES_A_SECOND], or make soak. Without a rate it is half of
what the server takes in, measured first. `bimetal serve` with a trained model; devices with QoS 1 and 2,
with wills and retained messages, that go without a word and come back; a remembered subscriber who is away
now and then; strangers who talk nonsense; posts over HTTP; queries beside. Every ten seconds a line is
written to looks.csv. At the end, or at Ctrl-C: a table, looks.html, and exit code 1 when memory grew (see
verdict).
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from bench.serve_load import cpu_s, load, model_of, server, single
from bench.soak.fleet import Fleet
from bench.soak.look import Look, family, open_files, resident, size_on_disk, threads
from bench.soak.page import page
from bench.soak.verdict import grew, table

LOOK_S = 10.0
POST_S, QUERY_S, STRANGER_S = 0.1, 60.0, 5.0
HERE_S, AWAY_S = 240.0, 30.0
"""The subscriber is there for so long, then away for so long."""
HEARD = 20
"""So many devices the subscriber listens to."""
QUESTION = "SELECT count(*) AS n, max(time) AS last FROM readings WHERE signal = 'pressure'"


@dataclass(slots=True)
class Beside:
    """What goes on beside the devices: posts, queries, a subscriber, strangers."""

    folder: Path
    mqtt_port: int
    http_port: int
    stop: Event
    posted: int = 0
    heard: int = 0
    query_s: float = 0.0

    def post(self) -> None:
        """Post readings over HTTP on one connection."""
        web = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        k = 0
        while not self.stop.wait(POST_S):
            k += 1
            said = json.loads(single(1, k)) | {"ts": time.time_ns() // 1_000_000}
            web.request("POST", f"/api/v1/devices/posted-{k % 5}/readings", json.dumps(said))
            answer = web.getresponse()
            answer.read()
            self.posted += answer.status < 300

    def ask(self) -> None:
        """Ask in SQL what is kept, from another process, and the server for its headroom."""
        words = [sys.executable, "-m", "bimetal", "query", "--data", str(self.folder / "data"), "--since"]
        while not self.stop.wait(QUERY_S):
            since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
            begun = time.perf_counter()
            subprocess.run([*words, since, "--json", QUESTION], check=True, stdout=subprocess.DEVNULL)
            self.query_s = time.perf_counter() - begun
            web = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
            web.request("GET", "/api/v1/headroom")
            web.getresponse().read()
            web.close()

    def listen(self) -> None:
        """Be a subscriber who is remembered, and away now and then."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="keeper", clean_session=False)

        def on_message(*_: object) -> None:
            self.heard += 1

        client.on_message = on_message
        while not self.stop.is_set():
            client.connect("127.0.0.1", self.mqtt_port)
            client.loop_start()
            client.subscribe([(f"readings/device-{k:04d}", 1) for k in range(HEARD)])
            self.stop.wait(HERE_S)
            client.disconnect()
            client.loop_stop()
            self.stop.wait(AWAY_S)

    def disturb(self) -> None:
        """Connect and talk nonsense, or say nothing, or subscribe and go."""
        k = 0
        while not self.stop.wait(STRANGER_S):
            k += 1
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.mqtt_port), 10) as s,
            ):
                name = b"stranger-%d" % k
                body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
                hello = bytes((0x10, len(body))) + body
                topic = b"\x82\x0b\x00\x01\x00\x06odds/#\x00"
                s.sendall((b"GET / HTTP/1.1\r\n\r\n", b"", hello + topic, hello + b"\xff" * 64)[k % 4])
                s.settimeout(0.2)
                s.recv(64)


def begin(works: list[Callable[[], None]], stop: Event, failed: list[BaseException]) -> list[Thread]:
    """Let every work go on in a thread; what fails ends all."""

    def go(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            if not stop.is_set():
                failed.append(error)
                stop.set()

    started = [Thread(target=go, args=(work,), daemon=True) for work in works]
    for thread in started:
        thread.start()
    return started


def rate_of(folder: Path, seconds: float) -> float:
    """Half of the messages a second that a server takes in."""
    with server(folder, folder / "quiet.bm") as (port, _, _):
        taken = load(port, 200, 10, single, seconds)
    shutil.rmtree(folder / "data")
    return taken.messages / taken.seconds / 2


class Soak:
    """One run: what was seen so far, and where it is written."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.looks: list[Look] = []

    def run(self, folder: Path, hours: float, devices: int, rate: float) -> None:
        """Start a server, load it, and look, until the time is over."""
        stop, failed = Event(), list[BaseException]()
        with server(folder, folder / "quiet.bm") as (mqtt_port, http_port, pid):
            fleet = Fleet(mqtt_port, devices, rate, back_every_s=2.0)
            beside = Beside(folder, mqtt_port, http_port, stop)
            works = [beside.post, beside.ask, beside.listen, beside.disturb, lambda: fleet.run(stop)]
            started = begin(works, stop, failed)
            begun, acknowledged = time.perf_counter(), 0
            with (self.out / "looks.csv").open("w", newline="") as file:
                lines = csv.DictWriter(file, list(Look.__dataclass_fields__))
                lines.writeheader()
                try:
                    while (passed := time.perf_counter() - begun) < hours * 3600 and not stop.wait(LOOK_S):
                        acknowledged = self._look(folder, pid, fleet, beside, passed + LOOK_S, acknowledged)
                        lines.writerow(asdict(self.looks[-1]))
                        file.flush()
                finally:
                    stop.set()
                    for thread in started:
                        thread.join(10)
        if failed:
            raise failed[0]

    def _look(
        self, folder: Path, pid: int, fleet: Fleet, beside: Beside, passed_s: float, acknowledged: int
    ) -> int:
        pids, data, count = family(pid), folder / "data", fleet.take()
        sizes = [resident(p) for p in pids]
        waits = sorted(count.waits_s) or [0.0]
        acknowledged += count.acknowledged
        before = self.looks[-1] if self.looks else None
        self.looks.append(
            Look(
                passed_s=round(passed_s, 1),
                processes=len(pids),
                rss=sum(r for r, _ in sizes),
                own=sum(p for _, p in sizes),
                files=sum(map(open_files, pids)),
                threads=sum(map(threads, pids)),
                cpu_s=cpu_s(pids),
                own_cpu_s=round(sum(os.times()[:4]), 2),
                disk=size_on_disk(data),
                journal=size_on_disk(data / "journal"),
                sessions=sum(p.stat().st_size for p in data.glob("sessions.sqlite*")),
                segments=sum(1 for _ in (data / "segments").glob("*.parquet")),
                readings=3 * (acknowledged + beside.posted),
                acknowledged=acknowledged,
                cut=(before.cut if before else 0) + count.cut,
                back=(before.back if before else 0) + count.back,
                posted=beside.posted,
                heard=beside.heard,
                query_s=round(beside.query_s, 3),
                ack_p50_ms=round(waits[len(waits) // 2] * 1e3, 2),
                ack_p99_ms=round(waits[int(0.99 * (len(waits) - 1))] * 1e3, 2),
                load=os.getloadavg()[0],
            )
        )
        return acknowledged

    def tell(self, rate: float, devices: int) -> int:
        """Print the table and draw the page of what there is; returns the exit code."""
        if len(self.looks) < 3:
            print("Too short to say anything.")
            return 2
        hours = self.looks[-1].passed_s / 3600
        title = f"{hours:.2f} h, {devices} devices, {rate:,.0f} messages/s wanted"
        print(f"\n{title}\n\n{table(self.looks)}", flush=True)
        (self.out / "looks.html").write_text(page(title, table(self.looks), self.looks), encoding="utf-8")
        print(f"\nEvery look: {self.out / 'looks.csv'}, drawn: {self.out / 'looks.html'}")
        bad = grew(self.looks)
        print("Memory grew." if bad else "Memory stayed flat.")
        return int(bad)


def main() -> int:
    """Run as told; returns the exit code."""
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    words.add_argument("--hours", type=float, default=2.0)
    words.add_argument("--rate", type=float, help="messages a second in all; half of the most when not given")
    words.add_argument("--devices", type=int, default=400)
    words.add_argument("--out", type=Path, default=Path(".cache/soak"), help="where the figures go")
    asked = words.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model_of(folder)
        rate = asked.rate or rate_of(folder, 10.0)
        print(f"{rate:,.0f} messages/s for {asked.hours:g} h", flush=True)
        soak = Soak(asked.out)
        with contextlib.suppress(KeyboardInterrupt):
            soak.run(folder, asked.hours, asked.devices, rate)
        return soak.tell(rate, asked.devices)


if __name__ == "__main__":
    sys.exit(main())
