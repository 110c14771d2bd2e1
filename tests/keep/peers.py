"""A real PostgreSQL and an S3 server that speaks HTTP, for the tests of segments that several share.

PostgreSQL comes from the system; `make cluster-setup` installs psycopg, boto3 and moto beside the checkout.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache as cache_once
from pathlib import Path
from typing import Any

import pytest

from bimetal.keep.place import settle
from tests.cluster.engine import cache, free_port, python_of

SECRET = "never-print-7f3a"
"""The password of the database; the key of the bucket is like it."""
_NUMBER = itertools.count()


@cache_once
def clients() -> str:
    """Where psycopg and boto3 are imported from, "" where they are installed; skips where they are not."""
    with contextlib.suppress(ImportError):
        importlib.import_module("psycopg"), importlib.import_module("boto3")
        return ""
    if not (cache() / "shared" / "psycopg").is_dir():
        pytest.skip("needs psycopg and boto3: make cluster-setup installs them")
    sys.path.append(str(cache() / "shared"))
    importlib.import_module("psycopg"), importlib.import_module("boto3")
    return str(cache() / "shared")


def _postgres_programs() -> Path:
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [Path(found).parent] if found else debian
    if not places:
        pytest.skip("needs PostgreSQL, which is not installed here")
    return places[0]


@dataclass
class Postgres:
    """A PostgreSQL server in a folder of its own, which asks for a password."""

    folder: Path
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", words, "start")

    def make(self) -> None:
        """Make its files."""
        (self.folder / "password").write_text(SECRET, "ascii")
        if os.geteuid() == 0:
            shutil.chown(self.folder, *_unprivileged())
        words = ("-U", "plant", "-A", "scram-sha-256", "--pwfile", "password", "-N", "-E", "UTF8")
        self._run("initdb", "-D", "data", *words)

    def stop(self) -> None:
        """Stop it as a power cut would."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def database(self, encoding: str = "UTF8") -> str:
        """Make a new database, and return its URL."""
        name = f"plant{next(_NUMBER)}"
        with self.connect() as link:
            link.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0")
        return f"postgresql://plant@127.0.0.1:{self.port}/{name}"

    def connect(self, name: str = "postgres") -> Any:
        """Connect without bimetal."""
        url = f"postgresql://plant@127.0.0.1:{self.port}/{name}"
        return importlib.import_module("psycopg").connect(url, autocommit=True, password=SECRET)

    def _run(self, program: str, *words: str) -> None:
        user = _unprivileged()[0] if os.geteuid() == 0 else None
        done = subprocess.run(
            [_postgres_programs() / program, *words],
            cwd=self.folder,
            user=user,
            group=_unprivileged()[1] if user else None,
            extra_groups=[] if user else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"},
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()


def _unprivileged() -> tuple[str, str]:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return found.pw_name, str(__import__("grp").getgrgid(found.pw_gid).gr_name)
    pytest.skip("needs a user who is not root, for PostgreSQL")


@dataclass
class Buckets:
    """moto's S3 server, which keeps its objects in memory."""

    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """A client that is not bimetal's."""
        who = {"aws_access_key_id": "plant", "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
        return importlib.import_module("boto3").client("s3", endpoint_url=self.url, **who)

    def bucket(self, *, versioned: bool = False) -> str:
        """Make a new bucket, and return its name."""
        name, client = f"plant{next(_NUMBER)}", self.client()
        client.create_bucket(Bucket=name)
        if versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def contents(self, bucket: str) -> dict[str, bytes]:
        """Every version of every object, by name and version."""
        client = self.client()
        said = client.list_object_versions(Bucket=bucket)
        found: dict[str, bytes] = {}
        for item in said.get("Versions", ()):
            which = {"Bucket": bucket, "Key": item["Key"], "VersionId": item["VersionId"]}
            found[f"{item['Key']} {item['VersionId']}"] = client.get_object(**which)["Body"].read()
        return found


class Line:
    """A line to a server that can be cut: connections through it end, and new ones are refused."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.port = free_port()
        self.mend()

    def cut(self) -> None:
        """Cut it."""
        assert self._listener is not None
        self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who waits for it
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def mend(self) -> None:
        """Let connections through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=_carry, args=(a, b), daemon=True).start()


def _carry(here: socket.socket, there: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := here.recv(1 << 16):
            there.sendall(content)
    with contextlib.suppress(OSError):
        there.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Run PostgreSQL until the block ends."""
    _postgres_programs(), clients()
    folder = Path(tempfile.mkdtemp(prefix="bimetal-pg-"))
    server = Postgres(folder)
    try:
        server.make()
        server.start()
        yield server
    finally:
        with contextlib.suppress(AssertionError):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def buckets() -> Iterator[Buckets]:
    """Run the S3 server until the block ends."""
    program, server = Path(python_of("moto")).with_name("moto_server"), Buckets()
    clients()
    process = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(server.port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", server.port), 1):
                break
            assert time.monotonic() < until, "moto does not answer"
            time.sleep(0.1)
        yield server
    finally:
        process.kill()
        process.wait(10)


@dataclass(frozen=True)
class Shared:
    """Where folders keep what they share."""

    root: Path
    catalog: str
    bucket: str
    server: Buckets

    @property
    def segments(self) -> str:
        """The place of the segments."""
        return f"s3://{self.bucket}/plant"

    def folder(self, name: str) -> Path:
        """A folder of that name, which shares them."""
        settle(self.root / name, self.catalog, self.segments)
        return self.root / name

    def objects(self) -> dict[str, bytes]:
        """Every version of every segment."""
        found = self.server.contents(self.bucket)
        return {name: content for name, content in found.items() if ".parquet" in name}


def environment(server: Buckets, port: int | None = None) -> dict[str, str]:
    """What libpq and AWS tools are told by; `port` is another way to the S3 server."""
    return {
        "PGPASSWORD": SECRET,
        "AWS_ACCESS_KEY_ID": "plant",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port or server.port}",
    }
