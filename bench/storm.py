"""A reconnect storm: every device of a fleet comes back over mutual TLS at once; how long until all are in.

Run: python bench/storm.py [DEVICES], or make bench-storm ARGS=10000. The server is `bimetal serve` in a
process of its own; devices, each with a certificate of its own, share as many processes as asked for.
First all of them shake hands in full; then all are cut off and come back resuming their sessions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from bimetal.trust.authority import Authority

AT_ONCE = 64
"""So many of a process's devices are in the middle of connecting."""
RETRY_S = 0.05


@dataclass(slots=True)
class Device:
    """One device: how it shows itself, and its connection."""

    name: str
    tls: ssl.SSLContext
    session: ssl.SSLSession | None = None
    plain: socket.socket | None = None
    sock: ssl.SSLSocket | None = None
    begun_s: float = 0.0
    took_s: float = 0.0
    resumed: bool = False
    asked: bool = False

    def begin(self, port: int) -> int:
        """Begin to connect; returns the number to wait for."""
        self.begun_s, self.asked = time.perf_counter(), False
        self.plain = socket.socket()
        self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.plain.setblocking(False)
        self.plain.connect_ex(("127.0.0.1", port))
        return self.plain.fileno()

    def go_on(self) -> int:
        """Do what can be done; returns what to wait for, 0 when the listener has accepted this device."""
        if self.sock is None:
            assert self.plain is not None
            self.sock = self.tls.wrap_socket(
                self.plain,
                server_hostname="127.0.0.1",
                session=self.session,
                do_handshake_on_connect=False,
            )
        try:
            if not self.asked:
                self.sock.do_handshake()
                name = self.name.encode()
                body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
                self.sock.send(bytes((0x10, len(body))) + body)
                self.asked = True
            answer = self.sock.recv(16)
        except ssl.SSLWantReadError:
            return select.EPOLLIN
        except ssl.SSLWantWriteError:
            return select.EPOLLOUT
        assert answer[:4] == b"\x20\x02\x00\x00", answer
        self.took_s = time.perf_counter() - self.begun_s
        self.resumed, self.session = bool(self.sock.session_reused), self.sock.session
        return 0

    def cut(self) -> None:
        """Break off, as a power cut would."""
        if self.sock is not None:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.sock.close()
        self.plain = self.sock = None


@dataclass(slots=True)
class Herd:
    """The devices of one process."""

    port: int
    devices: list[Device]
    poll: select.epoll = field(default_factory=select.epoll)

    def storm(self) -> None:
        """Connect all of them, some at a time."""
        waiting, under_way = list(self.devices), dict[int, Device]()
        while waiting or under_way:
            while waiting and len(under_way) < AT_ONCE:
                device = waiting.pop()
                number = device.begin(self.port)
                under_way[number] = device
                self.poll.register(number, select.EPOLLOUT)
            for number, _ in self.poll.poll(1.0):
                device = under_way[number]
                wanted = device.go_on()
                # Wrapping takes the number over from the plain socket: it stays the same.
                if wanted:
                    self.poll.modify(number, wanted)
                else:
                    self.poll.unregister(number)
                    del under_way[number]


def herd(folder: Path, port: int, names: list[str], line: Connection) -> None:
    """Be some devices: connect when told to, say how long each took, break off when told to."""
    context_of: list[Device] = []
    for name in names:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.load_verify_locations(folder / "ca.pem")
        tls.load_cert_chain(folder / f"{name}.pem")
        context_of.append(Device(name, tls))
    all_of_them = Herd(port, context_of)
    line.send("ready")
    while line.recv() == "storm":
        all_of_them.storm()
        line.send([(d.took_s, d.resumed) for d in all_of_them.devices])
        line.recv()
        for device in all_of_them.devices:
            device.cut()
        line.send("cut")


def certify(folder: Path, names: list[str]) -> None:
    """Make the authority, the server's certificate and each device's."""
    authority = Authority(folder / "authority", time.time_ns())
    server = authority.certify_server("127.0.0.1", 1)
    (folder / "server.pem").write_bytes(server.cert + server.key)
    (folder / "ca.pem").write_bytes(authority.public)
    for name in names:
        issued = authority.certify_device(name, 1)
        (folder / f"{name}.pem").write_bytes(issued.cert + issued.key)


def serving(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start the server; returns it and the port for MQTT."""
    pem = str(folder / "server.pem")
    words = ["--tls-cert", pem, "--tls-key", pem, "--client-ca", str(folder / "ca.pem")]
    ports = ["--mqtt-port", "0", "--http-port", "0", "--https-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bimetal", "serve", "--data", str(folder / "data"), *ports, *words],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BIMETAL_HOME": str(folder / "home")},
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    return process, int(said.split("127.0.0.1:")[1].split()[0])


def cpu_s(pid: int) -> float:
    """How much time a process has had on the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """How much memory a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(devices: int, processes: int) -> None:
    """Let a fleet storm twice, and print what came of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * devices + 1000)), hard))
    names = [f"device-{k:05d}" for k in range(devices)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        certify(folder, names)
        server, port = serving(folder)
        lines: list[Connection] = []
        context = multiprocessing.get_context("spawn")
        for k in range(processes):
            near, far = context.Pipe()
            context.Process(target=herd, args=(folder, port, names[k::processes], far), daemon=True).start()
            lines.append(near)
        for line in lines:
            assert line.recv() == "ready"
        for kind in ("full handshakes", "resumed sessions"):
            busy_s, begun_s = cpu_s(server.pid), time.perf_counter()
            for line in lines:
                line.send("storm")
            took = sorted(one for line in lines for one in line.recv())
            wall_s, busy_s = time.perf_counter() - begun_s, cpu_s(server.pid) - busy_s
            resumed = sum(one for _, one in took)
            print(
                f"{devices:,} devices, {kind} ({resumed:,} resumed): {wall_s:.1f} s, "
                f"{devices / wall_s:,.0f} a second; server {busy_s:.1f} CPU-s, "
                f"{devices / busy_s:,.0f} a CPU-s; one takes {took[len(took) // 2][0] * 1e3:.0f} ms (p50), "
                f"{took[len(took) * 99 // 100][0] * 1e3:.0f} ms (p99); "
                f"server {resident_mb(server.pid):.0f} MB; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
            for line in lines:
                line.send("cut")
            for line in lines:
                line.recv()
            time.sleep(2)
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("devices", type=int, nargs="?", default=10_000)
    words.add_argument("--processes", type=int, default=2)
    asked = words.parse_args()
    measure(asked.devices, asked.processes)
