"""Two servers that share what they keep, as their users meet them: a cut line, a kill, and one answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.keep import peers
from tests.walks.test_serve import start

QUESTION = "SELECT device, signal, value FROM readings ORDER BY ALL"


def test_two_servers_go_on_without_their_peers_and_give_one_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with peers.postgres() as pg, peers.buckets() as s3:
        url, bucket = pg.database(), s3.bucket()
        lines = [peers.Line(pg.port), peers.Line(s3.port)]
        path = os.pathsep.join(p for p in (os.environ.get("PYTHONPATH", ""), peers.clients()) if p)
        for name, value in {**peers.environment(s3, lines[1].port), "PYTHONPATH": path}.items():
            monkeypatch.setenv(name, value)
        catalog = url.replace(f":{urlsplit(url).port}/", f":{lines[0].port}/")
        shared = ("--catalog", catalog, "--segments", f"s3://{bucket}/plant", "--lab")
        a, b = (start(tmp_path / name, *shared) for name in "ab")
        assert a.publish("readings/pump-1", b'{"ts": 1767225600000, "pressure": 1}')
        assert b.publish("readings/pump-2", b'{"ts": 1767225600000, "pressure": 2}')
        for line in lines:
            line.cut()
        assert a.publish("readings/pump-1", b'{"ts": 1767225601000, "pressure": 3}')
        assert b.publish("readings/pump-2", b'{"ts": 1767225601000, "flow": 4}')
        a.stop(signal.SIGKILL)
        time.sleep(7)  # so that b misses its peers
        for line in lines:
            line.mend()
        time.sleep(11)  # and finds them again
        a = start(tmp_path / "a", "--lab")
        said = [server.stop() for server in (a, b)]
        assert [code for code, _ in said] == [0, 0], said
        assert "PostgreSQL cannot be reached" in said[1][1]
        assert "2 readings wait to be sealed" in said[1][1] or "1 readings wait" in said[1][1]
        assert "sealed again" in said[1][1]
        assert peers.SECRET not in str(said)
        place = shared[:4]
        done = subprocess.run(
            [sys.executable, "-m", "bimetal", "query", "--data", tmp_path / "c", *place, "--json", QUESTION],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert [tuple(json.loads(line).values()) for line in done.stdout.splitlines()] == [
            ("pump-1", "pressure", 1.0),
            ("pump-1", "pressure", 3.0),
            ("pump-2", "flow", 4.0),
            ("pump-2", "pressure", 2.0),
        ]
        for line in lines:
            line.cut()
