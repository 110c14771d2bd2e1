"""A fleet beyond one machine: its members know each other by certificate, and nobody else gets in."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bimetal.cluster import jet as jets
from bimetal.cluster.jet import connect
from bimetal.nouns.errors import BadInput, Error, NotAllowed
from bimetal.trust.authority import Authority
from bimetal.trust.tls import TlsFiles, client_context
from tests.cluster.engine import Servers, free_port, nats_path, servers


def member(folder: Path, authority: Authority, name: str = "127.0.0.1") -> TlsFiles:
    """The files of a member of a fleet."""
    issued = authority.certify_member(name, 9)
    folder.mkdir(exist_ok=True)
    contents = {"own.pem": issued.cert, "own.key": issued.key, "ca.pem": authority.public}
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return TlsFiles(*(folder / file for file in contents))


def context(files: TlsFiles, shows: bool = True) -> ssl.SSLContext:
    """What a client with these files connects with."""
    assert files.client_ca
    return client_context(files.client_ca, files if shows else None)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), time.time_ns())


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Servers]:
    """Two servers that found each other over TLS."""
    folder = tmp_path_factory.mktemp("fleet")
    with servers(folder, 2, member(folder / "n", authority)) as found:
        yield found


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jets, "FIRST_S", 2.0)


def refused(urls: list[str], tls: ssl.SSLContext | None) -> Error:
    """What a connection that must not come about ends in."""
    with pytest.raises(Error) as said:
        asyncio.run(connect(urls, tls=tls))
    assert said.value.hint
    return said.value


def test_members_are_let_in_and_keep_what_they_are_given_on_both_servers(
    fleet: Servers, authority: Authority, tmp_path: Path
) -> None:
    async def walk() -> None:
        jet = await connect(fleet.urls, tls=context(member(tmp_path / "a", authority, "bridge.example.com")))
        await jet.stream("kept", {"subjects": ["kept"], "num_replicas": 2})
        assert await jet.put("kept", b"x") == 1
        found = await jet.last("kept", "kept")
        assert found is not None
        assert found.data == b"x"
        await jet.wire.close()

    asyncio.run(walk())


def test_a_device_is_no_member_though_the_same_installation_certified_it(
    fleet: Servers, authority: Authority, tmp_path: Path
) -> None:
    devices, files = Authority(tmp_path / "devices", time.time_ns()), member(tmp_path / "a", authority)
    issued = devices.certify_device("pump-1", 9)
    files.cert.write_bytes(issued.cert)
    files.key.write_bytes(issued.key)
    assert isinstance(refused(fleet.urls, context(files)), NotAllowed | BadInput)


def test_who_shows_no_certificate_is_not_let_in(fleet: Servers, authority: Authority, tmp_path: Path) -> None:
    files = member(tmp_path / "a", authority)
    assert isinstance(refused(fleet.urls, context(files, shows=False)), NotAllowed | BadInput)
    assert "--tls-ca" in refused(fleet.urls, None).hint


def test_a_server_of_another_authority_is_not_believed(fleet: Servers, tmp_path: Path) -> None:
    strange = member(tmp_path / "a", Authority(tmp_path / "other", time.time_ns()))
    assert "not who it should be" in refused(fleet.urls, context(strange)).what


def test_a_server_of_another_name_is_not_believed(
    fleet: Servers, authority: Authority, tmp_path: Path
) -> None:
    urls = [f"nats://localhost:{port}" for port in fleet.ports]
    said = refused(urls, context(member(tmp_path / "a", authority)))
    assert "not who it should be" in said.what
    assert "localhost" in said.what


def test_nothing_is_said_to_a_server_that_claims_to_have_no_tls(authority: Authority, tmp_path: Path) -> None:
    nats_path()
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def pretend() -> None:
            one, _ = listening.accept()
            with one:
                one.settimeout(5)
                one.sendall(b'INFO {"server_id":"x","version":"2.11.0","tls_required":false}\r\n')
                heard.append(one.recv(4096))

        pretending = threading.Thread(target=pretend, daemon=True)
        pretending.start()
        url = f"nats://127.0.0.1:{listening.getsockname()[1]}"
        refused([url], context(member(tmp_path / "a", authority)))
        pretending.join(10)
    assert heard
    assert heard[0][:1] == b"\x16"  # a TLS handshake, and no CONNECT
    assert b"CONNECT" not in heard[0]


def test_where_nobody_answers_that_is_said(authority: Authority, tmp_path: Path) -> None:
    nats_path()
    said = refused([f"nats://127.0.0.1:{free_port()}"], context(member(tmp_path / "a", authority)))
    assert "no NATS server answers" in said.what
