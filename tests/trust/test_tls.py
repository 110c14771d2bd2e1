"""TLS: who is let in by a certificate, and the attacks that are not."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from bimetal.trust.authority import Authority
from bimetal.trust.identify import Claim, Identity, by_certificate
from bimetal.trust.revoked import RevokedFile
from bimetal.trust.tls import TlsFiles, device_of, is_loopback, serial_of, server_context, urn_of
from tests.trust.given import Pair, pair, shake

SERVER = ExtendedKeyUsageOID.SERVER_AUTH


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files of these tests are."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def ca(folder: Path) -> Pair:
    """The authority of the plant."""
    return pair(folder, "plant authority", ca=True)


@pytest.fixture(scope="module")
def server(folder: Path, ca: Pair) -> ssl.SSLContext:
    """The server, which asks for certificates of the authority."""
    own = pair(folder, "plant", ca, use=SERVER)
    return server_context(TlsFiles(own.path, own.path, ca.path))


def client(trusts: Pair, shows: Path | None) -> ssl.SSLContext:
    """A client that trusts an authority and shows a certificate; it looks at no host name here."""
    context = ssl.create_default_context(cafile=str(trusts.path))
    context.check_hostname = False
    if shows is not None:
        context.load_cert_chain(shows)
    return context


def test_a_device_is_let_in_by_its_certificate(folder: Path, ca: Pair, server: ssl.SSLContext) -> None:
    peer = shake(server, client(ca, pair(folder, "pump-1", ca).path))
    assert device_of(peer) == "pump-1"
    assert by_certificate()(Claim("pump-1", b"", peer)) == Identity("pump-1")


def test_what_bimetal_certify_makes_is_let_in_under_the_servers_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority", time.time_ns())
    (tmp_path / "ca.pem").write_bytes(authority.public)
    for name, issued in (
        ("server", authority.certify_server("plant.example", 9)),
        ("pump", authority.certify_device("pump 1", 9)),
    ):
        (tmp_path / f"{name}.pem").write_bytes(issued.cert + issued.key)
    own = tmp_path / "server.pem"
    context = server_context(TlsFiles(own, own, tmp_path / "ca.pem"))
    asking = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    asking.load_cert_chain(tmp_path / "pump.pem")
    assert device_of(shake(context, asking, "plant.example")) == "pump 1"
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname"):
        shake(context, asking, "evil.example")


def other_authority(folder: Path, ca: Pair) -> Path:
    del ca
    return pair(folder, "pump-1", pair(folder, "plant authority", ca=True)).path


def a_device_that_signs(folder: Path, ca: Pair) -> Path:
    device = pair(folder, "pump-2", ca)
    below = pair(folder, "pump-1", device)
    below.path.write_bytes(below.path.read_bytes() + device.path.read_bytes().split(b"-----\n", 3)[-1])
    return below.path


ATTACKS: dict[str, Callable[[Path, Pair], Path | None]] = {
    "no certificate": lambda folder, ca: None,
    "another authority of the same name": other_authority,
    "signed by itself": lambda folder, ca: pair(folder, "pump-1").path,
    "expired": lambda folder, ca: pair(folder, "pump-1", ca, days=(-9, -1)).path,
    "of the future": lambda folder, ca: pair(folder, "pump-1", ca, days=(1, 9)).path,
    "for servers": lambda folder, ca: pair(folder, "pump-1", ca, use=SERVER).path,
    "signed by a device": a_device_that_signs,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused(folder: Path, ca: Pair, server: ssl.SSLContext, attack: str) -> None:
    with pytest.raises(ssl.SSLError):
        shake(server, client(ca, ATTACKS[attack](folder, ca)))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("weak", ["TLS 1.1", "no encryption"])
def test_what_is_weak_is_refused(folder: Path, ca: Pair, server: ssl.SSLContext, weak: str) -> None:
    asking = client(ca, pair(folder, "pump-1", ca).path)
    if weak == "TLS 1.1":
        asking.minimum_version = ssl.TLSVersion.TLSv1
        asking.maximum_version = ssl.TLSVersion.TLSv1_1
        asking.set_ciphers("ALL:@SECLEVEL=0")
    else:
        asking.maximum_version = ssl.TLSVersion.TLSv1_2
        asking.set_ciphers("NULL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        shake(server, asking)


def test_a_client_refuses_a_server_that_shows_a_devices_certificate(folder: Path, ca: Pair) -> None:
    evil = pair(folder, "plant", ca)
    context = server_context(TlsFiles(evil.path, evil.path))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(context, client(ca, None))


def test_a_session_is_resumed_with_its_certificate(folder: Path, ca: Pair, server: ssl.SSLContext) -> None:
    asking = client(ca, pair(folder, "pump-1", ca).path)
    asking.maximum_version = ssl.TLSVersion.TLSv1_2
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = None
    for expected in (False, True):
        end = asking.wrap_bio(to_client, to_server, server_hostname="plant", session=session)
        far = server.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(4):
            for one in (end, far):
                try:
                    one.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        assert end.session_reused is expected
        assert device_of(far.getpeercert()) == "pump-1"
        session = end.session


PEER = {"subject": ((("commonName", "pump-1"),),)}


@pytest.mark.parametrize(
    ("peer", "device"),
    [
        (PEER, "pump-1"),
        (PEER | {"subjectAltName": (("URI", "urn:bimetal:device:pump%202"),)}, "pump 2"),
        (PEER | {"subjectAltName": (("DNS", "pump-3"), ("URI", "https://x"))}, "pump-1"),
        ({"subjectAltName": (("URI", urn_of("größe α")),)}, "größe α"),
    ],
)
def test_a_certificate_names_its_device(peer: dict[str, object], device: str) -> None:
    assert device_of(peer) == device


@pytest.mark.parametrize(
    "peer",
    [
        None,
        {},
        {"subject": ()},
        {"subject": ((("commonName", "a"),), (("commonName", "b"),))},
        {"subject": ((("commonName", "readings/+"),),)},
        {"subject": ((("commonName", ""),),)},
        PEER | {"subjectAltName": (("URI", urn_of("a")), ("URI", urn_of("b")))},
        PEER | {"subjectAltName": (("URI", "urn:bimetal:device:a%2Fb"),)},
        PEER | {"subjectAltName": (("URI", "urn:bimetal:device:"),)},
    ],
)
def test_a_certificate_that_names_no_one_device_lets_nobody_in(peer: dict[str, object] | None) -> None:
    with pytest.raises(NotAllowed):
        by_certificate()(Claim("pump-1", b"", peer))


def test_a_certificate_speaks_for_no_other_device() -> None:
    with pytest.raises(NotAllowed, match="not 'pump-2'"):
        by_certificate()(Claim("pump-2", b"", PEER))


def test_a_revoked_certificate_counts_no_longer_and_at_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority", time.time_ns())
    (tmp_path / "ca.pem").write_bytes(authority.public)
    issued, own = authority.certify_device("pump-1", 9), authority.certify_server("plant", 9)
    (tmp_path / "pump.pem").write_bytes(issued.cert + issued.key)
    (tmp_path / "own.pem").write_bytes(own.cert + own.key)
    (tmp_path / "crl.pem").write_bytes(authority.revoked())
    asking = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    asking.load_cert_chain(tmp_path / "pump.pem")
    own_pem = tmp_path / "own.pem"
    peer = shake(server_context(TlsFiles(own_pem, own_pem, tmp_path / "ca.pem")), asking)
    revoked = RevokedFile(tmp_path / "crl.pem")
    identify = by_certificate(revoked)
    assert identify(Claim("pump-1", b"", peer)).device == "pump-1"
    authority.revoke("pump-1")
    (tmp_path / "crl.pem").write_bytes(authority.revoked())
    with pytest.raises(NotAllowed, match="revoked"):
        identify(Claim("pump-1", b"", peer))
    (tmp_path / "crl.pem").write_bytes(b"half of ")
    with pytest.raises(NotAllowed, match="revoked"):
        identify(Claim("pump-1", b"", peer))
    assert not revoked.has(serial_of(peer) + 1)


@pytest.mark.parametrize(
    "content", [None, b"", b"no list", b"-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"]
)
def test_what_is_no_list_of_revoked_ones_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "crl.pem").write_bytes(content)
    with pytest.raises(NotFound if content is None else BadInput):
        RevokedFile(tmp_path / "crl.pem")


@pytest.mark.parametrize("part", ["cert", "key", "ca"])
@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_files_that_are_not_what_they_should_be_are_named(
    tmp_path: Path, folder: Path, ca: Pair, part: str, content: bytes | None
) -> None:
    good = pair(folder, "plant", ca, use=SERVER).path
    bad = tmp_path / "bad.pem"
    if content is not None:
        bad.write_bytes(content)
    paths = {"cert": good, "key": good, "ca": ca.path} | {part: bad}
    with pytest.raises(NotFound if content is None else BadInput) as caught:
        server_context(TlsFiles(paths["cert"], paths["key"], paths["ca"]))
    assert str(bad) in caught.value.sentence()


def test_a_key_of_another_certificate_is_refused(folder: Path, ca: Pair) -> None:
    one, other = pair(folder, "plant", ca, use=SERVER), pair(folder, "plant", ca, use=SERVER)
    with pytest.raises(BadInput, match="private key"):
        server_context(TlsFiles(one.path, other.path))


@pytest.mark.parametrize(
    ("name", "ours"),
    [("", False), ("localhost", True), ("::1", True), ("::ffff:127.0.0.1", True), ("1", False)],
)
def test_what_is_loopback(name: str, ours: bool) -> None:
    # An IPv4 address inside IPv6 is loopback only where Python says so (from 3.13 on).
    assert is_loopback(name) in ((ours,) if "ffff" not in name else (True, False))
