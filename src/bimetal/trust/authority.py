"""Authority: a certificate authority of one's own, for devices and servers of one installation.

A folder with the authority's key and certificate, what it issued, and what of that it revoked. Keys are
ECDSA on P-256, which every TLS library and most secure elements have. Certificates follow RFC 5280:
end entities say what they are for (client or server), the authority may issue and sign lists.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from bimetal.trust.tls import AUTHORITY, CLOCKS_DIFFER_S, urn_of
from bimetal.trust.whole_file import put, put_once

YEARS = 10
_LONGEST_NAME = 64
"""What RFC 5280 lets a common name be; a longer one is in the subject alternative name alone."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key, both in PEM."""

    cert: bytes
    key: bytes


class _Entry(msgspec.Struct):
    name: str
    serial: str
    ends: int
    revoked: int = 0


class Authority:
    """The authority in a folder, made on first use. Raises BadInput when the folder cannot be used."""

    def __init__(self, folder: Path, now_ns: int) -> None:
        self.folder = folder
        self._now = dt.datetime.fromtimestamp(now_ns // 10**9, dt.UTC)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (folder / "authority.pem").exists():
                self._make()
            self.certificate = (folder / "authority.pem").read_bytes()
            self._cert = x509.load_pem_x509_certificate(self.certificate)
            key = load_pem_private_key(self.certificate, None)
        except OSError as error:
            raise BadInput(
                f"the authority cannot be read or made: {error.strerror}",
                where=str(folder),
                hint="Choose a folder of yours",
            ) from None
        except ValueError:
            raise BadInput("this is no authority", where=str(folder), hint="Move the folder away") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise BadInput("this is no authority of bimetal", where=str(folder), hint="Move the folder away")
        self._key = key

    @property
    def public(self) -> bytes:
        """The authority's certificate in PEM, without its key: what others check against."""
        return self._cert.public_bytes(Encoding.PEM)

    def certify_device(self, device: str, days: int) -> Issued:
        """Make a key and a certificate with which a device says who it is; raises BadInput for no name."""
        name = x509.UniformResourceIdentifier(urn_of(device))
        return self._issue(device, name, (ExtendedKeyUsageOID.CLIENT_AUTH,), days)

    def certify_server(self, host: str, days: int) -> Issued:
        """Make a key and a certificate for a server, under the name or address that clients use."""
        return self._issue(host, _host_name(host), (ExtendedKeyUsageOID.SERVER_AUTH,), days)

    def certify_member(self, host: str, days: int) -> Issued:
        """Make a key and a certificate for a machine of a fleet, which others connect to and which connects.

        An authority that makes these should make none for devices, for its members let in whoever it knows.
        """
        uses = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
        return self._issue(host, _host_name(host), uses, days)

    def revoke(self, subject: str) -> int:
        """Let no certificate that was issued to this name count any longer; returns how many those were.

        Raises NotFound when none was.
        """
        issued = self._issued()
        found = [one for one in issued if one.name == subject]
        if not found:
            raise NotFound(f"no certificate was issued to {subject[:80]!a}", where=str(self.folder))
        for one in found:
            one.revoked = one.revoked or int(self._now.timestamp())
        self._remember(found)
        return len(found)

    def revoked(self) -> bytes:
        """Return the list of what was revoked and has not ended anyway, in PEM; it holds for a year."""
        built = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._cert.subject)
            .last_update(self._now)
            .next_update(self._now + dt.timedelta(days=365))
        )
        for one in self._issued():
            if one.revoked and one.ends > self._now.timestamp():
                built = built.add_revoked_certificate(
                    x509.RevokedCertificateBuilder()
                    .serial_number(int(one.serial, 16))
                    .revocation_date(dt.datetime.fromtimestamp(one.revoked, dt.UTC))
                    .build()
                )
        return built.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _issued(self) -> list[_Entry]:
        """Return all that was issued; of lines about the same certificate the last counts."""
        path = self.folder / "issued.jsonl"
        found: dict[str, _Entry] = {}
        try:
            for line in path.read_bytes().splitlines() if path.exists() else ():
                entry = msgspec.json.decode(line, type=_Entry)
                found[entry.serial] = entry
        except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as error:
            raise BadInput(
                f"what was issued cannot be read: {error}", where=str(path), hint="Put it back from a backup"
            ) from None
        return list(found.values())

    def _remember(self, entries: Sequence[_Entry]) -> None:
        """Add lines; returns when they are durable."""
        path = self.folder / "issued.jsonl"
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
                file.write(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise BadInput(
                f"what is issued cannot be noted: {error.strerror}", where=str(path), hint="See whose it is"
            ) from None

    def _issue(
        self, subject: str, name: x509.GeneralName, uses: Sequence[x509.ObjectIdentifier], days: int
    ) -> Issued:
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(self._now + dt.timedelta(days=days), self._cert.not_valid_after_utc)
        if ends <= self._now:
            raise NotAllowed("this authority is too old to issue anything", where=str(self.folder))
        usage = _key_usage(digital_signature=True)
        built = (
            self._begun(subject, key.public_key())
            .issuer_name(self._cert.subject)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=len(subject) > _LONGEST_NAME)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        # Before it is handed out, so that it can always be revoked.
        entry = _Entry(subject, f"{built.serial_number:x}", int(ends.timestamp()))
        self._remember([entry])
        return Issued(built.public_bytes(Encoding.PEM), _pem(key))

    def _begun(self, subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        named = [x509.NameAttribute(NameOID.COMMON_NAME, subject)] if len(subject) <= _LONGEST_NAME else []
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name(named))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - dt.timedelta(seconds=CLOCKS_DIFFER_S))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        mark = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest[:4].hex()
        name = f"{AUTHORITY}{mark}"
        built = (
            self._begun(name, key.public_key())
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .not_valid_after(self._now + dt.timedelta(days=365 * YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        put_once(self.folder / "authority.pem", _pem(key) + built.public_bytes(Encoding.PEM))


def write_secret(path: Path, content: bytes) -> None:
    """Put a file that only its owner can read in place, whole or not at all; raises BadInput."""
    try:
        put(path, content)
    except OSError as error:
        raise BadInput(
            f"this cannot be written: {error.strerror}", where=str(path), hint="Choose a folder of yours"
        ) from None


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return _dns_name(host)


def _dns_name(host: str) -> x509.DNSName:
    try:
        return x509.DNSName(host.encode("idna").decode())
    except ValueError:
        raise BadInput(
            f"{host[:80]!a} is no name of a server", hint="Give a host name or an address"
        ) from None


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
