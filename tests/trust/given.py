"""Certificates good and bad, and handshakes in memory, for the tests of TLS."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, written to one PEM file."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    path: Path


def pair(
    folder: Path,
    name: str,
    signer: Pair | None = None,
    *,
    ca: bool = False,
    days: tuple[float, float] = (-1, 1),
    use: x509.ObjectIdentifier | None = ExtendedKeyUsageOID.CLIENT_AUTH,
    urns: tuple[str, ...] = (),
) -> Pair:
    """Make a certificate that holds between two days counted from now; without a signer it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    now, subject = dt.datetime.now(dt.UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, issuer_key = (signer.cert.subject, signer.key) if signer else (subject, key)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=days[0]))
        .not_valid_after(now + dt.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True)
    )
    if use is not None and not ca:
        built = built.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if urns:
        names = [x509.UniformResourceIdentifier(urn) for urn in urns]
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    cert = built.sign(issuer_key, hashes.SHA256())
    path = folder / f"{name}-{cert.serial_number % 10**6}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + cert.public_bytes(Encoding.PEM))
    return Pair(cert, key, path)


def shake(server: ssl.SSLContext, client: ssl.SSLContext, host: str = "plant") -> dict[str, object]:
    """Shake hands in memory and say something; return the client's certificate as the server sees it.

    Raises ssl.SSLError as soon as either side does.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done = [False, False]
    for _ in range(10):
        for k, end in enumerate(ends):
            try:
                if not done[k]:
                    end.do_handshake()
                    done[k] = True
            except ssl.SSLWantReadError:
                pass
    assert all(done)
    ends[0].write(b"hello")
    assert ends[1].read() == b"hello"
    ends[1].write(b"welcome")
    assert ends[0].read() == b"welcome"
    return ends[1].getpeercert() or {}  # type: ignore[return-value]
