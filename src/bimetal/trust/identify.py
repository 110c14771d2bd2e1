"""Identify: who a client is, from what it shows when it introduces itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bimetal.nouns.errors import NotAllowed
from bimetal.trust.revoked import RevokedFile
from bimetal.trust.tls import Peer, device_of, issued_ns, serial_of
from bimetal.trust.token import TokenFile


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client says of itself: its name, the secret that is to prove it, or a checked certificate."""

    name: str
    secret: bytes
    certificate: Peer | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is: the device it may speak for; None: any device, as in a laboratory."""

    device: str | None

    def may_speak_for(self, device: str) -> bool:
        """Whether readings of this device may come from it."""
        return self.device is None or self.device == device


Identify: TypeAlias = Callable[[Claim], Identity]
"""Says who a client is; raises NotAllowed when its claim does not hold."""


def anybody(claim: Claim) -> Identity:
    """Believe every claim: only for a listener that nobody else can reach."""
    del claim
    return Identity(None)


def by_token(tokens: TokenFile) -> Identify:
    """Believe who shows the token that was made for the device it names."""

    def identify(claim: Claim) -> Identity:
        if not tokens.fits(claim.name, claim.secret):
            raise NotAllowed(
                "that is not the token of this device", hint="Make one with: bimetal token DEVICE --data DIR"
            )
        return Identity(claim.name)

    return identify


def by_certificate(
    revoked: RevokedFile | None = None, barred: Callable[[str, int], bool] = lambda _device, _issued_ns: False
) -> Identify:
    """Believe who shows a certificate for the device it names, unless it is revoked, or `barred` by its age.

    Who signed it, and whether it holds at this time, the listener has checked.
    """

    def identify(claim: Claim) -> Identity:
        device = device_of(claim.certificate)
        if claim.name != device:
            raise NotAllowed(
                f"this certificate is for {device!a}, not {claim.name[:80]!a}",
                hint="The client identifier, and the user name if there is one, is the device's name",
            )
        if revoked and claim.certificate and revoked.has(serial_of(claim.certificate)):
            raise NotAllowed(f"this certificate of {device!a} was revoked")
        if claim.certificate and barred(device, issued_ns(claim.certificate)):
            raise NotAllowed(
                f"{device!a} was erased, and this certificate is from before",
                hint="If it is to come back, make a new one with: bimetal certify DEVICE",
            )
        return Identity(device)

    return identify
