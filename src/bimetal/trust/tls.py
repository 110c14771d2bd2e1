"""TLS: the context of a listener that others can reach, and which device a certificate is for.

The standard library does the work (OpenSSL); here it is set up so that nothing weak is left on:
TLS 1.2 and newer, and for clients' certificates the strict reading of RFC 5280.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote

from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput, NotAllowed, NotFound

DEVICE = "urn:bimetal:device:"
"""A certificate is for the device named behind this in its subject alternative name, percent-encoded."""
AUTHORITY = "bimetal authority "
"""So the name of an authority of ours begins."""
CLOCKS_DIFFER_S = 3600
"""Certificates hold from so long before they are made, for devices whose clock is behind."""

Peer = Mapping[str, Any]
"""A certificate that was checked, as `SSLSocket.getpeercert` describes it."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The PEM files of a listener or client: its certificate with what leads to its authority, and its key.

    With `client_ca`, clients must show a certificate of that authority.
    """

    cert: Path
    key: Path
    client_ca: Path | None = None


def is_loopback(host: str) -> bool:
    """Say whether a name or address only reaches this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """Return the context of a listener.

    Raises NotFound for a file that is not there, BadInput for one that does not hold what it
    should, NotAllowed for one that cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    # Making one ticket to resume with takes a sixth of a handshake; the usual two are for browsers.
    context.num_tickets = 1
    _load_own(context, files)
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        ca = files.client_ca
        _load(ca, "certificates of an authority", lambda: context.load_verify_locations(ca))
    return context


def client_context(ca: Path | None, own: TlsFiles | None = None) -> ssl.SSLContext:
    """Return the context of a client that connects to servers of this authority alone, showing its own files.

    Without one (None) the authorities count that this system trusts. Raises as `server_context`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if ca is None:
        context.load_default_certs()
    else:
        _load(ca, "certificates of an authority", lambda: context.load_verify_locations(ca))
    if own is not None:
        _load_own(context, own)
    return context


def device_of(peer: Peer | None) -> str:
    """Return the device that a checked certificate is for: its URN, or else its common name.

    Raises NotAllowed when there is no certificate, or it is for no device, or for several.
    """
    if not peer:
        raise NotAllowed("a certificate is needed here", hint="Make one with: bimetal certify DEVICE")
    names = [unquote(text.removeprefix(DEVICE)) for text in _texts(peer, "URI") if text.startswith(DEVICE)]
    names = names or _subjects(peer)
    if len(names) != 1:
        raise NotAllowed(
            f"this certificate is for {len(names) or 'no'} devices, and one is needed",
            hint="Make one with: bimetal certify DEVICE",
        )
    try:
        return check_device_id(names[0])
    except BadInput as error:
        raise NotAllowed(f"this certificate names no device: {error.what}") from None


def serial_of(peer: Peer) -> int:
    """Return the serial number of a checked certificate."""
    return int(cast(str, peer.get("serialNumber", "0")), 16)


def issued_ns(peer: Peer) -> int:
    """Return when a checked certificate was made, to the second before.

    That is since when it holds; an authority of ours lets it hold from CLOCKS_DIFFER_S before.
    """
    since_s = ssl.cert_time_to_seconds(cast(str, peer.get("notBefore", "Jan  1 00:00:00 1970 GMT")))
    ours = any(name.startswith(AUTHORITY) for name in _subjects(peer, "issuer"))
    return (since_s + ours * CLOCKS_DIFFER_S) * 10**9


def urn_of(device: str) -> str:
    """Return a device's name as it stands in a certificate."""
    return DEVICE + quote(check_device_id(device), safe="")


def _texts(peer: Peer, kind: str) -> list[str]:
    found = cast("Sequence[tuple[str, str]]", peer.get("subjectAltName", ()))
    return [text for name, text in found if name == kind]


def _subjects(peer: Peer, of: str = "subject") -> list[str]:
    subject = cast("Sequence[Sequence[tuple[str, str]]]", peer.get(of, ()))
    return [text for part in subject for name, text in part if name == "commonName"]


def _load_own(context: ssl.SSLContext, files: TlsFiles) -> None:
    _checked(files.cert, "a certificate")
    _load(files.key, "the private key of this certificate", lambda: _load_chain(context, files))


def _load_chain(context: ssl.SSLContext, files: TlsFiles) -> None:
    # A password is never asked for: nobody may be there to type it.
    context.load_cert_chain(files.cert, files.key, password=lambda: "")


def _checked(path: Path, what: str) -> None:
    """Raise unless a file holds a certificate, so that it is not the key that is blamed for it."""
    _load(path, what, lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path))


def _load(path: Path, what: str, load: Callable[[], object]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        reason = (error.reason or "it cannot be read").replace("_", " ").lower()
        raise BadInput(
            f"this is not {what} in PEM ({reason})", where=str(path), hint="See: bimetal certify --help"
        ) from None
    except FileNotFoundError:
        raise NotFound(f"{what} should be here", where=str(path)) from None
    except OSError as error:
        raise NotAllowed(f"{what} cannot be read: {error.strerror}", where=str(path)) from None
