"""The configuration that is shipped: what a server acknowledges is on its disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bimetal.cluster.server import server_config
from bimetal.nouns.errors import NotAllowed
from bimetal.trust.tls import TlsFiles
from tests.cluster.engine import nats_server


@pytest.mark.parametrize("peers", [(), ("127.0.0.1:1", "127.0.0.1:2")])
def test_a_server_takes_it(tmp_path: Path, peers: tuple[str, ...]) -> None:
    config = tmp_path / "n.conf"
    text = server_config("n1", "127.0.0.1:0", tmp_path / 'a "quoted" store', "127.0.0.1:0", peers)
    config.write_text(text, "utf-8")
    done = subprocess.run(
        [nats_server(), "-t", "-c", str(config)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("place", ["0.0.0.0:4222", "n1.example.com:4222", "[2001:db8::1]:4222"])
def test_what_others_reach_speaks_tls_or_is_not_written(tmp_path: Path, place: str) -> None:
    with pytest.raises(NotAllowed, match="only this machine itself"):
        server_config("n1", place, tmp_path)
    with pytest.raises(NotAllowed, match="only this machine itself"):
        server_config("n1", "127.0.0.1:4222", tmp_path, place, ("127.0.0.1:1",))
    files = TlsFiles(tmp_path / "a.pem", tmp_path / "a.key", tmp_path / "ca.pem")
    text = server_config("n1", place, tmp_path, place, ("127.0.0.1:1",), files)
    assert text.count("verify: true") == 2
    assert text.count("handshake_first: true") == 1


def test_acknowledged_means_on_disk() -> None:
    text = server_config("n1", "127.0.0.1:4222", Path("store"))
    assert "sync_interval: always" in text
    assert "cluster" not in text
    assert "cluster" in server_config("n1", "localhost:1", Path("s"), "localhost:2", ("b:2",))
