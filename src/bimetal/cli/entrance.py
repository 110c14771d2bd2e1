"""Entrance: which devices are let in here, and whose models are run."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import read
from bimetal.cli.home import keys
from bimetal.keep.archive import ERASURES, TOKENS
from bimetal.keep.erasure import ErasureFolder
from bimetal.nouns.errors import BadInput, NotAllowed
from bimetal.trust.identify import Identify, anybody, by_certificate, by_token
from bimetal.trust.key import fingerprint
from bimetal.trust.revoked import RevokedFile
from bimetal.trust.tls import TlsFiles, is_loopback, server_context
from bimetal.trust.token import TokenFile
from bimetal.wire.codec import Codec
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.codecs.shaped import ShapedCodec, shape_of
from bimetal.wire.text_file import text_of

MQTT_PORT, SECURE_MQTT_PORT = 1883, 8883
"""As registered with IANA."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where devices come in, and how they are told apart; `mqtt_port` None: the usual one."""

    host: str
    mqtt_port: int | None
    https_port: int
    tls: TlsFiles | None
    revoked: Path | None
    lab: bool

    @property
    def mqtt_port_or_usual(self) -> int:
        """The port for MQTT."""
        usual = SECURE_MQTT_PORT if self.tls else MQTT_PORT
        return usual if self.mqtt_port is None else self.mqtt_port

    def check(self) -> None:
        """Raise NotAllowed for a door that would let in strangers or anything in the clear; or BadInput."""
        if self.revoked and not (self.tls and self.tls.client_ca):
            raise BadInput(
                "a list of revoked certificates needs their authority", hint="Give --client-ca too"
            )
        if is_loopback(self.host):
            return
        if self.tls is None:
            raise NotAllowed(
                "without TLS, only this machine itself may connect",
                where=self.host,
                hint="Give a certificate and its key (see bimetal certify --server), or leave out --host",
            )
        if self.lab:
            raise NotAllowed(
                "--lab believes everybody, so only this machine itself may connect",
                where=self.host,
                hint="Leave out --lab, and make tokens or certificates",
            )

    def context(self) -> ssl.SSLContext | None:
        """Return what encrypts, None for a door that does not; raises as `server_context`."""
        return server_context(self.tls) if self.tls else None

    def stamp(self, folder: Path) -> tuple[int, ...]:
        """Return what changes when who is let in changes."""
        paths = [folder / TOKENS, *([self.revoked] if self.revoked else [])]
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)

    def identify(self, folder: Path, *, alone: bool = True) -> Identify:
        """Return what says who a device is: its certificate if one is asked for, or else as `identified`.

        Unless this door is the only way in (`alone`), it is no mistake that nobody could come through it.
        """
        if self.tls and self.tls.client_ca and not self.lab:
            revoked = RevokedFile(self.revoked) if self.revoked else None
            return by_certificate(revoked, ErasureFolder(folder / ERASURES).bars)
        return identified(folder, self.lab, alone=alone)


def tls_of(cert: Path | None, key: Path | None, client_ca: Path | None) -> TlsFiles | None:
    """Return the files of a door with TLS, None for none; raises BadInput when some are missing."""
    if cert is None and key is None and client_ca is None:
        return None
    if cert is None or key is None:
        raise BadInput("TLS needs a certificate and its key", hint="Give both the certificate and the key")
    return TlsFiles(cert, key, client_ca)


def identified(folder: Path, lab: bool, *, alone: bool = True) -> Identify:
    """Return what says who a device is: by the tokens in a folder, or with `lab` whoever it says it is.

    Raises NotAllowed when nobody could ever be let in, and there is no other way.
    """
    if lab:
        return anybody
    tokens = TokenFile(folder / TOKENS)
    if alone and not tokens.devices:
        raise NotAllowed(
            "no device has a token, so none could be let in",
            where=str(folder),
            hint=f"Make one with bimetal token DEVICE --data {folder}, or use --lab",
        )
    return by_token(tokens)


def known(path: Path) -> Bundle:
    """Read a model that is run unattended; raises NotAllowed unless its signer is known here."""
    sealed = read(path)
    if not keys().name_of(sealed.signer):
        raise NotAllowed(
            f"it is signed by a key not known here ({fingerprint(sealed.signer)})",
            where=str(path),
            hint=f"If you know whose it is: bimetal trust NAME {path}",
        )
    return sealed.bundle


def plain(shape: Path | None) -> Codec:
    """Return what reads messages that do not say what they are: JSON, of the shape that a file describes."""
    if shape is None:
        return JsonCodec()
    return ShapedCodec(shape_of(text_of(shape), str(shape)))
