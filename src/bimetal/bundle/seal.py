"""Seal: a bundle as bytes, signed; the signature is checked before anything is parsed.

offset  bytes  what
     0      8  "BIMETAL" and the format, 1
     8     32  Ed25519 public key of the signer
    40     64  signature over length and content, for the purpose "bundle"
   104      8  length of the content, little-endian
   112      n  content: one CBOR map (RFC 8949, deterministic encoding)
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cbor2

from bimetal.bundle.bundle import Bundle
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, Error, NotFound
from bimetal.program.block import unpack
from bimetal.program.canonical import decode, encode
from bimetal.program.digest import digest
from bimetal.trust.key import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey, check_signature

MAGIC = b"BIMETAL\x01"
PURPOSE = b"bundle"
HEAD_BYTES = len(MAGIC) + PUBLIC_BYTES + SIGNATURE_BYTES + 8
MOST_BYTES = 256 << 20
MAKE = "Make one with: bimetal train DATA -o MODEL"
_FIELDS: dict[str, type] = {
    "program": bytes,
    "digest": bytes,
    "blocks": dict,
    "card": dict,
    "vectors": dict,
    "wasm": bytes,
    "made_ns": int,
    "made_by": str,
}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bundle whose signature holds, and the public key it holds under."""

    bundle: Bundle
    signer: bytes


def seal(bundle: Bundle, key: SigningKey) -> bytes:
    """Return the signed bytes of a bundle; equal bundles and keys give equal bytes."""
    content = content_of(bundle)
    length = len(content).to_bytes(8, "little")
    return MAGIC + key.public + key.sign(PURPOSE, length + content) + length + content


def content_of(bundle: Bundle) -> bytes:
    """Return what is signed of a bundle; equal bundles give equal bytes, and `parse` reads them."""
    return cbor2.dumps(
        {
            "program": encode(bundle.program),
            "digest": digest(bundle.program),
            "blocks": dict(bundle.blocks),
            "card": dict(bundle.card),
            "vectors": dict(bundle.vectors),
            "wasm": bundle.wasm,
            "made_ns": bundle.made_ns,
            "made_by": bundle.made_by,
        },
        canonical=True,
    )


def write(path: Path, bundle: Bundle, key: SigningKey) -> int:
    """Write the sealed bundle whole or not at all; returns its size in bytes.

    Raises BadInput when it cannot be written there, or when something else than a model is there.
    """
    check_free(path)
    content = seal(bundle, key)
    place = Path(os.path.realpath(path))
    name = place.parent / f".{place.name[:100]}.{secrets.token_hex(4)}"
    try:
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, place)
    except OSError as error:
        raise BadInput(
            f"the model cannot be written: {error.strerror}", where=str(path), hint="Name another place"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            name.unlink()
    return len(content)


def check_free(path: Path) -> None:
    """Raise BadInput when something is there that is no model, and so must not be written over."""
    empty = os.path.isfile(path) and not path.stat().st_size
    if os.path.exists(path) and not empty and not is_model(path):
        raise BadInput(
            "the model cannot be written: there is something else of that name, and it is left as it is",
            where=str(path),
            hint="Name another file",
        )


def is_model(path: Path) -> bool:
    """Whether a file begins as a sealed bundle does, of this format or a newer one."""
    try:
        if not os.path.isfile(path):
            return False
        with path.open("rb") as file:
            return file.read(len(MAGIC) - 1) == MAGIC[:-1]
    except OSError:
        return False


def read(path: Path) -> Sealed:
    """Read a bundle from a file.

    Raises NotFound when there is none, BadInput when it is not one or is damaged,
    NotAllowed when its signature does not hold.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound("there is no such model", where=str(path), hint=MAKE) from None
    except OSError as error:
        raise BadInput(
            f"the model cannot be read: {error.strerror}", where=str(path), hint="Name a model file"
        ) from None
    return unseal(content, where=str(path))


def unseal(content: bytes, where: str = "model") -> Sealed:
    """Check the signature, then parse; raises as `read` does."""
    if not content.startswith(MAGIC[:-1]):
        empty = "" if content else ": the file is empty"
        raise BadInput(f"this is not a bimetal model{empty}", where=where, hint=MAKE)
    if len(content) > MOST_BYTES:
        raise BadInput(
            f"the model is larger than {MOST_BYTES >> 20} MiB", where=where, hint="Train on fewer devices"
        )
    if not content.startswith(MAGIC):
        raise BadInput("the model was made by a newer bimetal", where=where, hint="Upgrade bimetal")
    signer, signature, length, rest = _cut(content)
    if len(content) < HEAD_BYTES or len(rest) != int.from_bytes(length, "little"):
        raise BadInput("the model file is truncated or has bytes to spare", where=where, hint="Copy it again")
    try:
        check_signature(signer, signature, PURPOSE, length + rest)
        return Sealed(parse(rest, where), signer)
    except Error as error:
        raise error if error.where else type(error)(error.what, where=where, hint=error.hint) from None


def _cut(content: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    head = io.BytesIO(content)
    head.seek(len(MAGIC))
    return head.read(PUBLIC_BYTES), head.read(SIGNATURE_BYTES), head.read(8), head.read()


def parse(content: bytes, where: str) -> Bundle:
    """Return the bundle of which these are the content; raises BadInput when they are not well formed."""
    broken = BadInput("the model is signed but not well formed", where=where, hint="Ask whoever made it")
    try:
        loaded: object = cbor2.loads(content)
    except (cbor2.CBORDecodeError, RecursionError, ValueError, MemoryError):
        raise broken from None
    if not isinstance(loaded, dict):
        raise broken
    fields = cast("dict[str, Any]", loaded)
    if set(fields) != set(_FIELDS) or any(not isinstance(fields[k], t) for k, t in _FIELDS.items()):
        raise broken
    program = decode(fields["program"])
    if digest(program) != fields["digest"]:
        raise broken
    blocks = cast("Mapping[Any, Any]", fields["blocks"])
    if FLEET not in blocks or any(
        not isinstance(k, str) or not isinstance(v, bytes) for k, v in blocks.items()
    ):
        raise broken
    for block in blocks.values():
        unpack(program, block)
    return Bundle(
        program,
        blocks,
        fields["card"],
        fields["vectors"],
        fields["wasm"],
        fields["made_ns"],
        fields["made_by"],
    )
