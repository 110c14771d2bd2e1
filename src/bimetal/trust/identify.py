"""Identify: who a client is, from what it shows when it introduces itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bimetal.nouns.errors import NotAllowed
from bimetal.trust.token import TokenFile


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client says of itself: the name it uses, and the secret that is to prove it."""

    name: str
    secret: bytes


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
