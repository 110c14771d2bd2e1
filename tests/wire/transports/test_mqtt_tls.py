"""Over TLS the listener may be reached from elsewhere, and asks for certificates if it is told to."""

from __future__ import annotations

import asyncio
import datetime
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt import MqttListener
from tests.wire.transports.mqtt_peer import DISCONNECT, QUICK, Peer, eventually, publish


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's own, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(secret + built.public_bytes(serialization.Encoding.PEM))
    return path


def contexts(certificate: Path, mutual: bool) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The listener's context and its clients'."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=str(certificate))
    if mutual:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(certificate)
        client.load_cert_chain(certificate)
    return server, client


async def connected(port: int, client: ssl.SSLContext) -> Peer:
    return Peer(*await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost"))


@pytest.mark.parametrize("mutual", [False, True])
def test_messages_arrive_over_tls(certificate: Path, mutual: bool) -> None:
    server, client = contexts(certificate, mutual)
    found: list[Message] = []

    async def keep(batch: list[Message]) -> None:
        found.extend(batch)

    async def walk() -> None:
        listener = MqttListener("0.0.0.0", 0, keep, now_ns=time.time_ns, tls=server, limits=QUICK)
        await listener.start()
        peer = await connected(listener.port, client)
        await peer.hello("far", 5)
        await peer.send(*(publish("a", bytes(5_000), 1, number) for number in range(1, 101)))
        for number in range(1, 101):
            assert await peer.read() == b"\x40\x02" + number.to_bytes(2, "big")
        await peer.send(DISCONNECT)
        assert await peer.gone() == []
        peer.close()
        await eventually(lambda: listener.traffic().open == 0)
        await listener.close()
        assert len(found) == 100

    asyncio.run(walk())


def test_who_has_no_certificate_is_not_let_in_where_one_is_asked_for(certificate: Path) -> None:
    server, _ = contexts(certificate, mutual=True)
    _, stranger = contexts(certificate, mutual=False)

    async def keep(batch: list[Message]) -> None: ...

    async def walk() -> None:
        listener = MqttListener("127.0.0.1", 0, keep, now_ns=time.time_ns, tls=server, limits=QUICK)
        await listener.start()
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            await (await connected(listener.port, stranger)).hello("far", 5)
        assert listener.traffic().connections == 0
        await listener.close()

    asyncio.run(walk())


def test_closing_does_not_wait_for_a_handshake_that_never_ends(certificate: Path) -> None:
    server, _ = contexts(certificate, mutual=False)

    async def keep(batch: list[Message]) -> None: ...

    async def walk() -> None:
        listener = MqttListener("127.0.0.1", 0, keep, now_ns=time.time_ns, tls=server, limits=QUICK)
        await listener.start()
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"\x16\x03\x01")
        await writer.drain()
        await asyncio.wait_for(listener.close(), 3)
        writer.close()

    asyncio.run(walk())
