"""How much one server takes in: MQTT QoS 1, durable and scored, beside what people build today.

Run: python bench/serve_load.py [--seconds 10] [--peers PYTHON], or make bench-serve. The generator is a raw
socket with many connections in one process; each waits for its acknowledgements, a window at a time. Beside
`bimetal serve`: Mosquitto with a Python consumer (paho, JSON, a z-score, a file synced twice a second), and
amqtt alone; --peers is a Python that has paho-mqtt and amqtt. Rates are of acknowledged messages, by the
wall and by the processor time of all processes under test. `commit` is how long a message took from when
the server had read it until it was on the disk, as the server counts it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bimetal.cli import door
from bimetal.stream.commit import Commits

CONSUMER = """
import json, math, os, sys, time
import paho.mqtt.client as mqtt
state, lines, synced = {}, [], [time.monotonic()]
out = open(sys.argv[2], "ab")
def on_message(client, userdata, message):
    said = json.loads(message.payload)
    device = message.topic.split("/")[1]
    for name, value in said.items():
        mean, var = state.get((device, name), (value, 1.0))
        off = value - mean
        state[device, name] = mean + 0.01 * off, 0.99 * var + 0.01 * off * off
        score = off / math.sqrt(var + 1e-9)
    lines.append(message.payload)
    if time.monotonic() - synced[0] > 0.5:
        out.write(b"\\n".join(lines) + b"\\n"); out.flush(); os.fsync(out.fileno())
        lines.clear(); synced[0] = time.monotonic()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="consumer")
client.on_message = on_message
client.max_inflight_messages_set(65535)
client.connect("127.0.0.1", int(sys.argv[1]))
client.subscribe("readings/#", 1)
print("ready", flush=True)
client.loop_forever()
"""
AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    place = {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}", "max_connections": 5000}
    anybody = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": place}, "plugins": anybody})
    await broker.start()
    print("ready", flush=True)
    await asyncio.sleep(1e6)
asyncio.run(main())
"""


@dataclass(slots=True)
class Sender:
    """One device's connection, and how many of its messages are not acknowledged."""

    sock: socket.socket
    name: str
    number: int
    sent: int = 0
    rest: bytes = b""
    under_way: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class Taken:
    """What came of a load: messages acknowledged in so many seconds, and how long each took."""

    messages: int
    seconds: float
    waits_s: list[float]

    def wait_ms(self, share: float) -> float:
        """How long an acknowledgement took at most, for this share of them."""
        return sorted(self.waits_s)[int(share * (len(self.waits_s) - 1))] * 1e3


WARM_S = 3.0
"""What happens in the beginning is not counted: devices connect, programs are made ready."""

Payload = Callable[[int, int], bytes]
Peer = AbstractContextManager[tuple[int, list[int], int]]
"""Where MQTT is spoken, by which processes, and the port that says how long commits take, 0 for none."""


def single(device: int, k: int) -> bytes:
    """Three readings, a second after those before."""
    ms = 1_767_225_600_000 + 1000 * k
    wave = (k * 37 + device * 11) % 100 / 100
    return (
        f'{{"ts":{ms},"vibration":{2.2 + 0.2 * wave:.3f},"temperature":{45 + wave:.2f},'
        f'"pressure":{3.9 + 0.3 * wave:.3f}}}'
    ).encode()


@cache
def template(device: int) -> bytes:
    """A hundred rows of a device, whose times are to be filled in; the values come again after a hundred."""
    rows = [single(device, j).split(b",", 1)[1] for j in range(100)]
    return b"[" + b",".join(b'{"ts":%d,' + row for row in rows) + b"]"


def hundred(device: int, k: int) -> bytes:
    """A hundred times three readings; quickly made, for whoever sends is not what is measured."""
    first_ms = 1_767_225_600_000 + 100_000 * k
    return template(device) % tuple(range(first_ms, first_ms + 100_000, 1000))


def load(
    port: int,
    devices: int,
    window: int,
    payload: Payload,
    seconds: float,
    pace_s: float = 0.0,
    begin: Callable[[], None] = lambda: None,
) -> Taken:
    """Send for so long, a window at a time, or at a pace; returns what was acknowledged after WARM_S.

    `begin` is called when that time is over.
    """
    poll, senders = select.epoll(), dict[int, Sender]()
    for k in range(devices):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = f"device-{k:04d}"
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name.encode()
        sock.sendall(bytes((0x10, len(body))) + body)
        assert sock.recv(4) == b"\x20\x02\x00\x00"
        sock.setblocking(False)
        senders[sock.fileno()] = Sender(sock, name, k)
        poll.register(sock, select.EPOLLIN)
    waits: list[float] = []
    acknowledged, begun = 0, time.perf_counter()
    ends, warm = begun + WARM_S + seconds, False
    due = {s.number: begun + pace_s * s.number / devices for s in senders.values()}
    if not pace_s:
        for sender in senders.values():
            _send(sender, window, payload)
    while (now := time.perf_counter()) < ends:
        if not warm and now > begun + WARM_S:
            warm, begun, acknowledged = True, now, 0
            waits.clear()
            begin()
        if pace_s:
            for sender in senders.values():
                if due[sender.number] <= now:
                    due[sender.number] += pace_s
                    _send(sender, 1, payload)
        for number, _ in poll.poll(0.002 if pace_s else 1.0):
            sender = senders[number]
            answers = sender.rest + sender.sock.recv(65_536)
            count, sender.rest = len(answers) // 4, answers[len(answers) // 4 * 4 :]
            acknowledged += count
            now = time.perf_counter()
            waits += [now - at for at in sender.under_way[:count]]
            del sender.under_way[:count]
            if not pace_s:
                _send(sender, count, payload)
    took = time.perf_counter() - begun
    for sender in senders.values():
        sender.sock.close()
    return Taken(acknowledged, took, waits)


def _send(sender: Sender, count: int, payload: Payload) -> None:
    parts: list[bytes] = []
    topic = f"readings/{sender.name}".encode()
    for _ in range(count):
        said = payload(sender.number, sender.sent)
        sender.sent += 1
        head = len(topic).to_bytes(2, "big") + topic + (sender.sent % 65_535 + 1).to_bytes(2, "big")
        size, length = len(head) + len(said), bytearray()
        while True:
            size, byte = divmod(size, 128)
            length.append(byte | (128 if size else 0))
            if not size:
                break
        parts += [b"\x32", bytes(length), head, said]
    sender.under_way += [time.perf_counter()] * count
    whole = memoryview(b"".join(parts))
    while whole:
        try:
            whole = whole[sender.sock.send(whole) :]
        except BlockingIOError:
            select.select([], [sender.sock], [], 1.0)


def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def server(folder: Path, model: Path | None) -> Iterator[tuple[int, int, int]]:
    """`bimetal serve`, with a model or without: its MQTT port, its HTTP port, its process."""
    words = ["--lab", "--mqtt-port", "0", "--http-port", "0", *(["--model", str(model)] if model else [])]
    said = folder / "said"  # no pipe, which would be full at last
    with said.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bimetal", "serve", "--data", str(folder / "data"), *words],
            stderr=log,
            stdout=subprocess.DEVNULL,
        )
    try:
        while b"\n" not in (line := said.read_bytes()):
            assert process.poll() is None, line.decode()
            time.sleep(0.05)
        ports = line.decode().partition("\n")[0].split("127.0.0.1:")[1:]
        mqtt_port, http_port = (int(p.split()[0]) for p in ports)
        yield mqtt_port, http_port, process.pid
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def ours(folder: Path, model: Path | None) -> Iterator[tuple[int, list[int], int]]:
    """`bimetal serve` as a peer among others."""
    with server(folder, model) as (port, http_port, pid):
        yield port, [pid], http_port


@contextmanager
def mosquitto(folder: Path, python: str) -> Iterator[tuple[int, list[int], int]]:
    """Mosquitto and a consumer in Python."""
    port = free_port()
    (folder / "m.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
    )
    broker = subprocess.Popen(["mosquitto", "-c", str(folder / "m.conf")], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    words = [python, "-c", CONSUMER, str(port), str(folder / "kept")]
    consumer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert consumer.stdout is not None
    consumer.stdout.readline()
    try:
        yield port, [broker.pid, consumer.pid], 0
    finally:
        consumer.terminate()
        broker.terminate()
        consumer.wait(10)
        broker.wait(10)


@contextmanager
def amqtt(folder: Path, python: str) -> Iterator[tuple[int, list[int], int]]:
    """The amqtt broker, with nobody to hear."""
    del folder
    port = free_port()
    words = [python, "-c", AMQTT, str(port)]
    broker = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert broker.stdout is not None
    broker.stdout.readline()
    try:
        yield port, [broker.pid], 0
    finally:
        broker.terminate()
        broker.wait(10)


def cpu_s(pids: list[int]) -> float:
    """How much time processes have had on the processors."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb(pids: list[int]) -> float:
    """How much memory processes hold."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def model_of(folder: Path) -> Path:
    """A model of three signals, learned from quiet rows of one machine."""
    os.environ["BIMETAL_HOME"] = str(folder / "home")
    rows = [json.loads(single(k % 7, k)) for k in range(20_000)]
    names = [n for n in rows[0] if n != "ts"]
    lines = [",".join(["time", *names]), *(",".join(str(r[n]) for n in ("ts", *names)) for r in rows)]
    (folder / "quiet.csv").write_text("\n".join([*lines, ""]))
    assert door.run(["train", str(folder / "quiet.csv"), "-o", str(folder / "quiet.bm")]) == 0
    return folder / "quiet.bm"


def commits(http_port: int) -> tuple[int, ...]:
    """How many messages were safe within which time, as the server counts them; nothing for others."""
    if not http_port:
        return ()
    web = http.client.HTTPConnection("127.0.0.1", http_port, timeout=60)
    web.request("GET", "/api/v1/commits")
    return tuple(json.loads(web.getresponse().read())["commits"]["count"])


def safe_ms(before: tuple[int, ...], after: tuple[int, ...]) -> str:
    """From when a message came until it was on the disk: the middle one, and one in a hundred."""
    if not after:
        return "-"
    since = Commits(after).since(before)
    return " / ".join("-" if ms is None else f"{ms:.1f}" for ms in map(since.share_ms, (0.5, 0.99)))


def show(name: str, taken: Taken, busy_s: float, pids: list[int], readings: int, safe: str) -> None:
    """Print a line of the table."""
    rate = taken.messages / taken.seconds
    print(
        f"| {name} | {rate:,.0f} | {rate * readings:,.0f} | {taken.messages / busy_s:,.0f} | "
        f"{taken.messages * readings / busy_s:,.0f} | {taken.wait_ms(0.5):.1f} / {taken.wait_ms(0.99):.1f} | "
        f"{safe} | {resident_mb(pids):.0f} | {os.getloadavg()[0]:.1f} |",
        flush=True,
    )


def measure(seconds: float, peers: str | None) -> None:
    """Print the table."""
    print("| what | messages/s | readings/s | messages/CPU-s | readings/CPU-s | ack ms p50/p99 ", end="")
    print("| commit ms p50/p99 | MB | load |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = model_of(folder)

        def kept() -> int:
            path = folder / "kept"
            return path.read_bytes().count(b"\n") if path.exists() else 0

        def one(
            name: str, peer: Peer, devices: int, window: int, payload: Payload, pace_s: float = 0.0
        ) -> None:
            with peer as (port, pids, http_port):
                before: list[tuple[float, int, tuple[int, ...]]] = []
                begin = lambda: before.append((cpu_s(pids), kept(), commits(http_port)))  # noqa: E731
                taken = load(port, devices, window, payload, seconds, pace_s, begin)
                if kept():  # what the consumer has dealt with, not what the broker has said
                    taken.messages = kept() - before[0][1]
                safe = safe_ms(before[0][2], commits(http_port))
                readings = 300 if payload is hundred else 3
                show(name, taken, cpu_s(pids) - before[0][0], pids, readings, safe)
            shutil.rmtree(folder / "data", ignore_errors=True)
            (folder / "kept").unlink(missing_ok=True)

        one("bimetal, 3 readings, window 10", ours(folder, model), 800, 10, single)
        one("bimetal, 3 readings, window 1", ours(folder, model), 800, 1, single)
        one("bimetal, 100x3 readings, window 4", ours(folder, model), 100, 4, hundred)
        one("bimetal, 1,000 devices at 1 Hz", ours(folder, model), 1000, 1, single, 1.0)
        if peers:
            one("Mosquitto + Python, window 10", mosquitto(folder, peers), 800, 10, single)
            one("amqtt, nobody hears, window 10", amqtt(folder, peers), 200, 10, single)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seconds", type=float, default=10.0)
    words.add_argument("--peers", help="a Python that has paho-mqtt and amqtt")
    asked = words.parse_args()
    measure(asked.seconds, asked.peers)
