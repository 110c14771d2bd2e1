"""Fleet: devices that publish at an even pace over QoS 1 and 2, go without a word and come back."""

from __future__ import annotations

import random
import select
import socket
import time
from collections import deque
from dataclasses import dataclass, field
from threading import Event, Lock

from bench.serve_load import single
from bimetal.wire.transports.mqtt.field import framed

CONNACK, PUBACK, PUBREC, PUBCOMP = 0x20, 0x40, 0x50, 0x70
FAULT_EVERY_S, FAULT_S = 600.0, 60.0
"""Now and then device 7 vibrates more, so that alarms open and close."""
MOST_UNDER_WAY = 1000
"""A device that waits for so many acknowledgements sends nothing new."""
_TAILS = [single(0, j).split(b",", 1)[1] for j in range(100)]
_FAULTY = [b'"vibration":9.5,' + tail.split(b",", 1)[1] for tail in _TAILS]


@dataclass(slots=True)
class Device:
    """One device: its connection, and when what is not yet acknowledged was sent."""

    number: int
    sock: socket.socket
    sent: int = 0
    rest: bytes = b""
    under_way: deque[float] = field(default_factory=deque[float])

    @property
    def name(self) -> str:
        """What it is called."""
        return f"device-{self.number:04d}"

    @property
    def qos(self) -> int:
        """Every tenth publishes at QoS 2."""
        return 2 if self.number % 10 == 9 else 1


@dataclass(slots=True)
class Count:
    """What came of the load since this was last taken; for any thread."""

    acknowledged: int = 0
    cut: int = 0
    back: int = 0
    waits_s: list[float] = field(default_factory=list[float])


class Fleet:
    """Publishes `rate` messages a second in all, each device in its turn, until `stop` is set."""

    def __init__(self, port: int, devices: int, rate: float, back_every_s: float) -> None:
        self._port = port
        self._rate = rate
        self._back_every_s = back_every_s
        self._poll = select.epoll()
        self._random = random.Random(1)
        self._count, self._lock = Count(), Lock()
        self._devices = [Device(k, self._connect(k)) for k in range(devices)]
        self._of = {d.sock.fileno(): d for d in self._devices}

    def take(self) -> Count:
        """Return what came since the last call."""
        with self._lock:
            count, self._count = self._count, Count()
            return count

    def run(self, stop: Event) -> None:
        """Publish until told to stop; falls behind rather than send more at once than is due in a second."""
        begun, sent, back = time.perf_counter(), 0, 0
        while not stop.is_set():
            passed = time.perf_counter() - begun
            due = int(passed * self._rate)
            sent = max(sent, due - int(self._rate))
            faulty = passed % FAULT_EVERY_S > FAULT_EVERY_S - FAULT_S
            for n in range(sent, due):
                self._publish(self._devices[n % len(self._devices)], faulty)
            sent = due
            for number, _ in self._poll.poll(0.02):
                self._hear(self._of[number])
            if passed > (back + 1) * self._back_every_s:
                back += 1
                self._come_back(self._random.choice(self._devices))
        for device in self._devices:
            device.sock.close()
        self._poll.close()

    def _connect(self, number: int) -> socket.socket:
        """Connect; every third wants to be remembered, every fourth has a will."""
        sock = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = b"device-%04d" % number
        flags, rest = 0 if number % 3 == 0 else 2, b""
        if number % 4 == 0:
            flags |= 0x0C
            topic, will = b"readings/" + name, b'{"vibration":2.3,"temperature":45.5,"pressure":4.0}'
            rest = len(topic).to_bytes(2, "big") + topic + len(will).to_bytes(2, "big") + will
        body = b"\x00\x04MQTT\x04%c\x00\x00" % flags + len(name).to_bytes(2, "big") + name + rest
        sock.sendall(framed(0x10, body))
        assert sock.recv(4)[0] == CONNACK
        sock.setblocking(False)
        self._poll.register(sock, select.EPOLLIN)
        return sock

    def _come_back(self, device: Device) -> None:
        """Go without a word in the middle of it, and connect anew."""
        del self._of[device.sock.fileno()]
        device.sock.close()
        with self._lock:
            self._count.cut += len(device.under_way)
            self._count.back += 1
        device.under_way.clear()
        device.rest = b""
        device.sock = self._connect(device.number)
        self._of[device.sock.fileno()] = device

    def _publish(self, device: Device, faulty: bool) -> None:
        if len(device.under_way) >= MOST_UNDER_WAY:
            return
        device.sent += 1
        topic = b"readings/" + device.name.encode()
        tails = _FAULTY if faulty and device.number == 7 else _TAILS
        tail = tails[(device.sent * 37 + device.number * 11) % 100]
        said = b'{"ts":%d,' % (time.time_ns() // 1_000_000) + tail
        retain = device.sent % 50 == 0
        body = len(topic).to_bytes(2, "big") + topic + (device.sent % 65_535 + 1).to_bytes(2, "big") + said
        device.under_way.append(time.perf_counter())
        self._send(device, framed(0x30 | device.qos << 1 | retain, body))

    def _send(self, device: Device, packet: bytes) -> None:
        whole = memoryview(packet)
        while whole:
            try:
                whole = whole[device.sock.send(whole) :]
            except BlockingIOError:
                select.select([], [device.sock], [], 1.0)

    def _hear(self, device: Device) -> None:
        try:
            came = device.sock.recv(65_536)
        except BlockingIOError:
            return
        if not came:
            self._come_back(device)
            return
        answers, now = device.rest + came, time.perf_counter()
        whole = len(answers) // 4 * 4
        device.rest = answers[whole:]
        waits: list[float] = []
        for at in range(0, whole, 4):
            kind = answers[at]
            if kind == PUBREC:
                self._send(device, b"\x62\x02" + answers[at + 2 : at + 4])
            elif kind in {PUBACK, PUBCOMP} and device.under_way:
                waits.append(now - device.under_way.popleft())
        with self._lock:
            self._count.acknowledged += len(waits)
            self._count.waits_s += waits
