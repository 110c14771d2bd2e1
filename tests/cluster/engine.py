"""The engines these tests start, where they are installed: `make cluster-setup` installs them.

$BIMETAL_CLUSTER, or bimetal-cluster in the user's cache, holds nats-py/ and shared/ (clients), and a virtual
environment for each of nats, ray, flink and moto, for their pins fit neither each other nor ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache as cache_once
from pathlib import Path

import pytest

from bench.house import ROOT
from bimetal.trust.tls import TlsFiles, client_context


def cache() -> Path:
    """The folder of engines; it need not exist."""
    named = os.environ.get("BIMETAL_CLUSTER")
    home = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(home) if home else Path.home() / ".cache") / "bimetal-cluster"


@cache_once
def nats_path() -> str:
    """Where nats-py is imported from, "" where it is installed; skips the test where it is not there."""
    with contextlib.suppress(ImportError):
        importlib.import_module("nats")
        return ""
    if not (cache() / "nats-py" / "nats").is_dir():
        pytest.skip("needs nats-py: make cluster-setup installs it")
    sys.path.append(str(cache() / "nats-py"))
    importlib.import_module("nats")
    return str(cache() / "nats-py")


def nats_server() -> str:
    """The server's program; skips the test where it is not there."""
    found = shutil.which("nats-server", path=f"{cache() / 'nats' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip("needs nats-server: make cluster-setup installs it")
    return found


def python_of(engine: str) -> str:
    """The interpreter of an engine's environment; skips the test where it is not there."""
    found = cache() / engine / "bin" / "python"
    if not (cache() / engine / f"ready-{engine}").exists():
        pytest.skip(f"needs {engine}: make cluster-setup installs it")
    return str(found)


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Servers:
    """One NATS server or several that are a cluster, each with its own folder and port."""

    folder: Path
    ports: list[int]
    routes: list[int]
    tls: TlsFiles | None = None
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def urls(self) -> list[str]:
        """Where they answer."""
        return [f"nats://127.0.0.1:{port}" for port in self.ports]

    def start(self, k: int) -> None:
        """Start one of them, with the configuration that is shipped."""
        from bimetal.cluster.server import server_config

        peers = [f"127.0.0.1:{port}" for port in self.routes] if len(self.ports) > 1 else []
        config = self.folder / f"server-{k}.conf"
        listen, route = f"127.0.0.1:{self.ports[k]}", f"127.0.0.1:{self.routes[k]}"
        store = self.folder / f"store-{k}"
        text = server_config(f"n{k}", listen, store, route if peers else "", peers, self.tls)
        config.write_text(text, "utf-8")
        with (self.folder / f"server-{k}.log").open("ab") as log:
            self.running[k] = subprocess.Popen([nats_server(), "-c", str(config)], stdout=log, stderr=log)

    def kill(self, k: int) -> None:
        """Kill one of them as a power cut would."""
        self.running[k].send_signal(signal.SIGKILL)
        self.running[k].wait(10)

    def wait(self) -> None:
        """Wait until JetStream answers."""
        until = time.monotonic() + 30
        while True:
            with contextlib.suppress(Exception):
                asyncio.run(self._probe())
                return
            assert time.monotonic() < until, (self.folder / "server-0.log").read_text("utf-8")[-2000:]
            time.sleep(0.2)

    async def _probe(self) -> None:
        from bimetal.cluster.jet import connect

        own = client_context(self.tls.client_ca, self.tls) if self.tls and self.tls.client_ca else None
        jet = await connect(self.urls, patience_s=2.0, tls=own)
        await jet.stream("probe", {"subjects": ["probe"], "num_replicas": min(3, len(self.ports))})
        await jet.put("probe", b"x")
        await jet.wire.close()

    def stop(self) -> None:
        """Stop all of them."""
        for one in self.running.values():
            one.kill()
            one.wait(10)


@contextlib.contextmanager
def servers(folder: Path, count: int = 1, tls: TlsFiles | None = None) -> Iterator[Servers]:
    """Run servers, ready to be used, until the block ends."""
    nats_server(), nats_path()
    found = Servers(folder, [free_port() for _ in range(count)], [free_port() for _ in range(count)], tls)
    try:
        for k in range(count):
            found.start(k)
        found.wait()
        yield found
    finally:
        found.stop()


def environment() -> dict[str, str]:
    """The environment in which workers find nats-py and these tests."""
    parts = [str(ROOT), nats_path() or "", os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in parts if p), "OPENBLAS_NUM_THREADS": "1"}
