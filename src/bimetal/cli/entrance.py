"""Entrance: which devices are let in here, and whose models are run."""

from __future__ import annotations

from pathlib import Path

from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import read
from bimetal.cli.home import keys
from bimetal.keep.archive import TOKENS
from bimetal.nouns.errors import NotAllowed
from bimetal.trust.identify import Identify, anybody, by_token
from bimetal.trust.key import fingerprint
from bimetal.trust.token import TokenFile


def identified(folder: Path, lab: bool) -> Identify:
    """Return what says who a device is: by the tokens in a folder, or with `lab` whoever it says it is.

    Raises NotAllowed when nobody could ever be let in.
    """
    if lab:
        return anybody
    tokens = TokenFile(folder / TOKENS)
    if not tokens.devices:
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
