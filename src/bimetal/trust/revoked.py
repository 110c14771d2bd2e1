"""Revoked: the certificates that count no longer, as their authority lists them."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from bimetal.nouns.errors import BadInput, NotFound


class RevokedFile:
    """A list of revoked certificates (RFC 5280 CRL, PEM); read again when the file has changed.

    Raises NotFound when it is not there, BadInput when it is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._serials: frozenset[int] = frozenset()
        self.has(0)

    def has(self, serial: int) -> bool:
        """Whether the certificate of this serial number is on the list.

        While the file cannot be read, what was read last holds.
        """
        try:
            found = self.path.stat()
            stamp = found.st_mtime_ns, found.st_ino
            if stamp != self._stamp:
                self._serials = _serials(self.path)
                self._stamp = stamp
        except (OSError, ValueError):
            if self._stamp is None:
                raise self._refusal() from None
        return serial in self._serials

    def _refusal(self) -> BadInput:
        where, hint = str(self.path), "Make one with: bimetal certify DEVICE --revoke"
        if not self.path.exists():
            return NotFound("a list of revoked certificates should be here", where=where, hint=hint)
        return BadInput("this is not a list of revoked certificates in PEM", where=where, hint=hint)


def _serials(path: Path) -> frozenset[int]:
    return frozenset(one.serial_number for one in x509.load_pem_x509_crl(path.read_bytes()))
