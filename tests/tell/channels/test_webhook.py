"""The webhook: it reaches the address it was given over checked TLS, and nothing else."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput, NotAllowed
from bimetal.tell.channels import webhook as webhook_file
from bimetal.tell.channels.webhook import Webhook
from tests.tell.given import HOSTILE, notice


class Peer:
    """A server on loopback that answers with the next of `answers` (the last again and again)."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers = [204]
        self.bodies: list[bytes] = []
        peer = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                peer.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                status = peer.answers.pop(0) if len(peer.answers) > 1 else peer.answers[0]
                self.send_response(status)
                self.send_header("Location", "http://169.254.169.254/latest")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def peer() -> Iterator[Peer]:
    opened = Peer()
    yield opened
    opened.close()


def hook(peer: Peer, **changes: object) -> tuple[Webhook, list[float]]:
    waits: list[float] = []
    given = {"private": True, "wait": waits.append, **changes}
    return Webhook(f"http://127.0.0.1:{peer.port}/hook?token=secret", **given), waits  # type: ignore[arg-type]


def test_the_event_arrives(peer: Peer) -> None:
    hook(peer)[0].tell(notice(sentence=HOSTILE[:200]))
    assert json.loads(peer.bodies[0])["sentence"] == HOSTILE[:200]


def test_what_may_pass_is_tried_again(peer: Peer) -> None:
    peer.answers = [503, 429, 200]
    one, waits = hook(peer)
    one.tell(notice())
    assert len(peer.bodies) == 3
    assert waits == [0.5, 1.0]


def test_tries_are_bounded_and_the_secret_is_not_shown(peer: Peer) -> None:
    peer.answers = [500]
    with pytest.raises(BadInput, match="answer was 500") as refused:
        hook(peer)[0].tell(notice())
    assert len(peer.bodies) == 3
    assert "secret" not in refused.value.sentence() + repr(hook(peer)[0])


@pytest.mark.parametrize("status", [301, 307, 400, 404])
def test_redirects_and_refusals_are_final(peer: Peer, status: int) -> None:
    peer.answers = [status]
    with pytest.raises(BadInput, match=f"answer was {status}"):
        hook(peer)[0].tell(notice())
    assert len(peer.bodies) == 1


def test_nobody_there_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(BadInput, match="no answer: ConnectionRefusedError"):
            Webhook(url, private=True, wait=lambda _: None).tell(notice())


def test_a_peer_that_never_answers_costs_a_bounded_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(BadInput, match="no answer: TimeoutError"):
            Webhook(url, private=True, timeout_s=0.05, wait=lambda _: None).tell(notice())


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1"],
)
def test_private_addresses_are_refused_unless_meant(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (address, 443))]
    monkeypatch.setattr(webhook_file.socket, "getaddrinfo", lambda *_, **__: found)
    reached: list[object] = []
    monkeypatch.setattr(webhook_file.socket, "create_connection", lambda *a: reached.append(a))
    with pytest.raises(NotAllowed, match="private network"):
        Webhook("https://example.org/").tell(notice())
    assert reached == []


def test_plain_http_stays_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(0, 0, 0, "", ("93.184.216.34", 80))]
    monkeypatch.setattr(webhook_file.socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(NotAllowed, match="plain http"):
        Webhook("http://example.org/", private=True).tell(notice())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://a/",
        "https://",
        "https://a:99999/",
        "https://a/\r\nX: y",
        "file:///etc/passwd",
        "https://ä.org/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="not an https address"):
        Webhook.opened({"url": url})


def test_private_is_yes_or_no() -> None:
    with pytest.raises(BadInput, match="yes or no"):
        Webhook.opened({"url": "https://a.org/", "private": "maybe"})


def test_over_tls_the_name_is_checked_and_the_event_arrives(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    peer = Peer(server)
    try:
        trusted = ssl.create_default_context(cafile=str(path))
        url = f"https://127.0.0.1:{peer.port}/"
        Webhook(url, private=True, context=trusted).tell(notice())
        assert len(peer.bodies) == 1
        with pytest.raises(BadInput, match="SSLCertVerificationError"):
            Webhook(url, private=True, wait=lambda _: None).tell(notice())
        wrong = f"https://localhost:{peer.port}/"
        with pytest.raises(BadInput, match="no answer"):
            Webhook(wrong, private=True, context=trusted, wait=lambda _: None).tell(notice())
        assert len(peer.bodies) == 1
    finally:
        peer.close()


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 signed by itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bimetal test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "peer.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path
