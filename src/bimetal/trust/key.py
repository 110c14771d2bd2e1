"""Key: the Ed25519 key pair an installation signs with, and the keys it trusts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from bimetal.trust.whole_file import MINE, put_once

PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


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


def public_key(text: str, where: str) -> bytes:
    """Return the public key written as 64 hexadecimal digits; raises BadInput for anything else."""
    try:
        public = bytes.fromhex(text.strip())
    except ValueError:
        public = b""
    if len(public) != PUBLIC_BYTES:
        raise BadInput(
            "this is not a public key",
            where=where,
            hint="One is 64 hexadecimal digits: bimetal trust prints it",
        )
    return public


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
        """Trust a public key from now on, under a name.

        Raises BadInput for what is no key or no name, and when the name stands for another key.
        """
        if len(public) != PUBLIC_BYTES or not _NAME.fullmatch(name):
            raise BadInput(
                f"{name!a} with {len(public)} bytes is not a named public key",
                hint="A name has letters, digits, - and _; a key has 32 bytes",
            )
        path = self._path_of(name)
        _put_once(path, public.hex().encode(), mode=0o644)
        if self.trusted().get(name) != public:
            raise BadInput(
                f"{name} stands for another key",
                where=str(path),
                hint="Take another name, or --remove it first",
            )

    def distrust(self, name: str) -> None:
        """Trust a key no longer. Raises NotFound for a name that no key has."""
        if not _NAME.fullmatch(name) or name not in self.trusted():
            raise NotFound(f"no trusted key has the name {name!a}", where=str(self.folder))
        self._path_of(name).unlink()

    def trusted(self) -> dict[str, bytes]:
        """Return the trusted public keys by name; raises BadInput for a file that holds no key."""
        keys: dict[str, bytes] = {}
        for path in sorted((self.folder / "trusted").glob("*.pub")):
            keys[path.stem] = public_key(path.read_text(errors="replace"), str(path))
        return keys

    def _path_of(self, name: str) -> Path:
        return self.folder / "trusted" / f"{name}.pub"

    def name_of(self, public: bytes) -> str:
        """Return whose key it is: "this installation", a trusted name, or "" when unknown."""
        own = self.folder / "signing.key"
        if own.exists() and self.signing_key().public == public:
            return "this installation"
        return next((name for name, key in self.trusted().items() if key == public), "")

    def _make(self, path: Path) -> bytes:
        raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        _put_once(path, raw, mode=MINE)
        return path.read_bytes()


def _scoped(purpose: bytes, content: bytes) -> bytes:
    return len(purpose).to_bytes(2, "little") + purpose + content


def _put_once(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    put_once(path, content, mode=mode)
