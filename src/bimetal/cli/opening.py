"""Opening: a model file read, and said whose it is when that is not known here."""

from __future__ import annotations

from pathlib import Path

from bimetal.bundle.seal import Sealed, is_model, read
from bimetal.cli.home import keys
from bimetal.cli.saying import note
from bimetal.nouns.errors import BadInput
from bimetal.trust.key import fingerprint


def open_model(path: Path, data: str = "") -> Sealed:
    """Read a model; `data` is what was named beside it, in case the two were taken for each other.

    Raises as `read` does. A signer who is not known here is told on standard error.
    """
    if data not in ("", "-") and is_model(Path(data)) and not is_model(path):
        raise BadInput("the model comes first, then the data", hint=f"Try: bimetal run {data} {path}")
    sealed = read(path)
    if not signer_of(sealed):
        note(
            f"{path} is whole, but signed with a key not known here ({fingerprint(sealed.signer)}): "
            f"use it only if you know where it is from. To take it as known: bimetal trust NAME {path}"
        )
    return sealed


def signer_of(sealed: Sealed) -> str:
    """Return whose key a model is signed with, "" when it is not known here."""
    return keys().name_of(sealed.signer)
