"""An authority of one's own: what it issues holds up, and only for what it was issued for."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from bimetal.trust.authority import Authority, write_secret

NOW_NS = 1_767_225_600 * 10**9
YEAR_NS = 365 * 86_400 * 10**9


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """One that was just made."""
    return Authority(tmp_path / "authority", NOW_NS)


def names_of(cert: bytes) -> list[str]:
    """The subject alternative names of a certificate."""
    found = x509.load_pem_x509_certificate(cert).extensions
    names = found.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(n.value) for n in names]


def test_a_device_gets_a_certificate_of_its_own(authority: Authority) -> None:
    issued = authority.certify_device("pump 1/β".replace("/", "-"), 30)
    cert = x509.load_pem_x509_certificate(issued.cert)
    assert names_of(issued.cert) == ["urn:bimetal:device:pump%201-%CE%B2"]
    usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert cert.not_valid_after_utc - cert.not_valid_before_utc <= dt.timedelta(days=30, hours=1)
    key = load_pem_private_key(issued.key, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == cert.public_key()
    cert.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.public))


@pytest.mark.parametrize(
    ("host", "name"),
    [("plant.example.com", "plant.example.com"), ("192.168.1.5", "192.168.1.5"), ("::1", "::1")],
)
def test_a_server_is_certified_under_what_clients_call_it(authority: Authority, host: str, name: str) -> None:
    issued = authority.certify_server(host, 30)
    assert names_of(issued.cert) == [name]
    usage = x509.load_pem_x509_certificate(issued.cert).extensions.get_extension_for_class(
        x509.ExtendedKeyUsage
    )
    assert list(usage.value) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_long_name_is_in_the_alternative_name_alone(authority: Authority) -> None:
    issued = authority.certify_device("d" * 100, 30)
    assert names_of(issued.cert) == [f"urn:bimetal:device:{'d' * 100}"]
    assert not list(x509.load_pem_x509_certificate(issued.cert).subject)


@pytest.mark.parametrize("name", ["", "a/b", "x" * 200, "a\nb", "#"])
def test_what_is_no_device_gets_no_certificate(authority: Authority, name: str) -> None:
    with pytest.raises(BadInput):
        authority.certify_device(name, 30)
    assert not (authority.folder / "issued.jsonl").exists()


def test_it_is_the_same_when_opened_again_and_its_key_is_for_its_owner_alone(authority: Authority) -> None:
    again = Authority(authority.folder, NOW_NS + YEAR_NS)
    assert again.public == authority.public
    assert b"PRIVATE" not in again.public
    if os.name == "posix":
        assert (authority.folder / "authority.pem").stat().st_mode & 0o077 == 0


def test_nothing_it_issues_outlives_it(authority: Authority) -> None:
    late = Authority(authority.folder, NOW_NS + 10 * YEAR_NS - 86_400 * 10**9)
    cert = x509.load_pem_x509_certificate(late.certify_device("pump-1", 365).cert)
    assert cert.not_valid_after_utc == x509.load_pem_x509_certificate(late.public).not_valid_after_utc
    with pytest.raises(NotAllowed, match="too old"):
        Authority(authority.folder, NOW_NS + 11 * YEAR_NS).certify_device("pump-1", 30)


def test_revoking_lists_every_certificate_of_a_name_and_no_other(authority: Authority) -> None:
    issued = [authority.certify_device(name, 30).cert for name in ("pump-1", "pump-2", "pump-1")]
    serials = [x509.load_pem_x509_certificate(cert).serial_number for cert in issued]
    assert authority.revoke("pump-1") == 2
    found = x509.load_pem_x509_crl(authority.revoked())
    assert {one.serial_number for one in found} == {serials[0], serials[2]}
    ca = x509.load_pem_x509_certificate(authority.public)
    key = ca.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert found.is_signature_valid(key)
    with pytest.raises(NotFound):
        authority.revoke("pump-9")
    later = Authority(authority.folder, NOW_NS + YEAR_NS)
    assert list(x509.load_pem_x509_crl(later.revoked())) == []  # they have ended by then


@pytest.mark.parametrize(
    "content", [b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_authority_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "authority.pem").write_bytes(content)
    with pytest.raises(BadInput):
        Authority(tmp_path, NOW_NS)


def test_a_damaged_record_is_said_for_else_somebody_would_be_let_in(authority: Authority) -> None:
    authority.certify_device("pump-1", 30)
    with (authority.folder / "issued.jsonl").open("ab") as file:
        file.write(b"[{")
    with pytest.raises(BadInput, match="issued"):
        authority.revoked()
    with pytest.raises(BadInput, match="issued"):
        authority.revoke("pump-1")


def test_a_secret_is_whole_or_not_there(tmp_path: Path) -> None:
    write_secret(tmp_path / "a.key", b"secret")
    assert (tmp_path / "a.key").read_bytes() == b"secret"
    with pytest.raises(BadInput):
        write_secret(tmp_path / "none" / "a.key", b"secret")
    assert [p.name for p in tmp_path.iterdir()] == ["a.key"]
