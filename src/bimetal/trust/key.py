"""Key: the Ed25519 key pair an installation signs with, and the keys it trusts."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bimetal.nouns.errors import BadInput, NotAllowed

PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key (RFC 8032) that signs; it never leaves this object."""

    _private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes others check signatures with."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, purpose: bytes, content: bytes) -> bytes:
        """Sign content for one purpose; a signature for one purpose is worthless for another."""
        return self._private.sign(_scoped(purpose, content))


def check_signature(public: bytes, signature: bytes, purpose: bytes, content: bytes) -> None:
    """Return when the signature holds; raise NotAllowed otherwise."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _scoped(purpose, content))
    except (InvalidSignature, ValueError):
        raise NotAllowed(
            "the signature does not fit the content", hint="The file was changed or damaged: get it again"
        ) from None


def fingerprint(public: bytes) -> str:
    """A public key as people compare it: its first eight bytes in hexadecimal."""
    return public[:8].hex()


@dataclass(frozen=True, slots=True)
class KeyFolder:
    """A folder with this installation's signing key and one file for each trusted public key."""

    folder: Path

    def signing_key(self) -> SigningKey:
        """Return this installation's key, making one on first use (mode 0600).

        Raises BadInput when the folder cannot be written or the key file is not a key.
        """
        path = self.folder / "signing.key"
        try:
            raw = path.read_bytes() if path.exists() else self._make(path)
        except OSError as error:
            raise BadInput(
                f"the signing key cannot be read or made: {error.strerror}",
                where=str(path),
                hint="Set BIMETAL_HOME to a folder of yours",
            ) from None
        try:
            return SigningKey(Ed25519PrivateKey.from_private_bytes(raw))
        except ValueError:
            raise BadInput(
                "this is not a signing key", where=str(path), hint="Remove the file to have a new key made"
            ) from None

    def trust(self, name: str, public: bytes) -> None:
        """Trust a public key from now on, under a name."""
        if len(public) != PUBLIC_BYTES or not name.isidentifier():
            raise BadInput(f"{name!a} with {len(public)} bytes is not a named public key")
        _write_once(self.folder / "trusted" / f"{name}.pub", public.hex().encode(), mode=0o644)

    def name_of(self, public: bytes) -> str:
        """Return whose key it is: "this installation", a trusted name, or "" when unknown."""
        own = self.folder / "signing.key"
        if own.exists() and self.signing_key().public == public:
            return "this installation"
        for path in sorted((self.folder / "trusted").glob("*.pub")):
            if path.read_text().strip() == public.hex():
                return path.stem
        return ""

    def _make(self, path: Path) -> bytes:
        raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        _write_once(path, raw, mode=0o600)
        return path.read_bytes()


def _scoped(purpose: bytes, content: bytes) -> bytes:
    return len(purpose).to_bytes(2, "little") + purpose + content


def _write_once(path: Path, content: bytes, mode: int) -> None:
    """Create the file whole or not at all; whoever comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, mode)
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(name)
