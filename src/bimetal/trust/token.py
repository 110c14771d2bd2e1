"""Token: a secret made for one device; only its digest is kept.

A token has 256 random bits, so that its SHA-256 is as good a secret as itself; a slow hash, as
passwords need, would add nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec

from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.trust.whole_file import put

TOKEN_BYTES = 32
_UNFINISHED = ".tokens-"
_NOBODY = sha256(b"").hexdigest()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    devices: dict[str, str]


class TokenFile:
    """The tokens of one installation, in a file that only its owner can read.

    It is read again when it has changed, so that a token made or revoked counts at once. Raises
    BadInput when the file is no token file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] = (0, 0)
        self._digests: dict[str, str] = {}
        self._refresh()

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices that have a token."""
        self._refresh()
        return tuple(sorted(self._digests))

    def make(self, device: str, random_bytes: Callable[[int], bytes]) -> str:
        """Make a device's token, in place of one it had, and return it: it is shown this once."""
        check_device_id(device)
        token = random_bytes(TOKEN_BYTES).hex()
        self._refresh()
        self._write(self._digests | {device: sha256(token.encode()).hexdigest()})
        return token

    def revoke(self, device: str) -> None:
        """Let a device's token count no more. Raises NotFound."""
        self._refresh()
        if device not in self._digests:
            raise NotFound(f"the device {device!a} has no token", where=str(self.path))
        self._write({d: digest for d, digest in self._digests.items() if d != device})

    def erase(self, device: str) -> int:
        """Remove a device's token, and files of a change that was cut short; returns how many tokens went."""
        self._refresh()
        found = int(device in self._digests)
        if found:
            self.revoke(device)
        for path in self.path.parent.glob(f"{_UNFINISHED}*"):
            path.unlink(missing_ok=True)
        return found

    def fits(self, device: str, token: bytes) -> bool:
        """Whether this is the device's token; it takes as long for a device that has none."""
        self._refresh()
        known = self._digests.get(device, _NOBODY)
        return hmac.compare_digest(sha256(token).hexdigest(), known) and known != _NOBODY

    def _refresh(self) -> None:
        try:
            found = self.path.stat()
            stamp = found.st_mtime_ns, found.st_ino
            if stamp != self._stamp:
                self._digests = _read(self.path)
                self._stamp = stamp
        except FileNotFoundError:
            self._digests, self._stamp = {}, (0, 0)
        except OSError as error:
            raise BadInput(
                f"the tokens cannot be read: {error.strerror}", where=str(self.path), hint="See who owns it"
            ) from None

    def _write(self, digests: dict[str, str]) -> None:
        content = msgspec.json.format(msgspec.json.encode(_File(1, dict(sorted(digests.items())))))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put(self.path, content + b"\n", prefix=_UNFINISHED)
        except OSError as error:
            raise BadInput(
                f"the tokens cannot be written: {error.strerror}",
                where=str(self.path),
                hint="Choose a folder of yours",
            ) from None
        self._refresh()


def _read(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).devices
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(
            f"this is no file of tokens: {error}", where=str(path), hint="Move it away and make tokens anew"
        ) from None
