"""Contribution: what one device learned in one round, as bytes that can be checked.

| bytes | what (little-endian) |
| --- | --- |
| 4 | `BMFC` |
| 2, 2 | format (1), number of signals d |
| 8 | round |
| 16 | subject: what is learned (signals in their order, a program...), as the round names it |
| 2, then n | length and text of the device's id, UTF-8 |
| 8 | number of rows, f64 |
| 8 d | means, f64 |
| 8 d (d + 1) / 2 | products of what is off the mean, upper triangle row by row, f64 |
| 16 | BLAKE2b of all before |

The digest finds damage, not forgery: who sent it is the transport's business.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from bimetal.federate.moments import Floats, Moments
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput, Unsupported

MAGIC = b"BMFC"
VERSION = 1
SUBJECT_BYTES = 16
MOST_SIGNALS = 512
_HEAD = struct.Struct("<4sHHQ16sH")
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one device learned in one round about one subject."""

    device: str
    round: int
    subject: bytes
    moments: Moments


def subject_of(text: str) -> bytes:
    """Return the 16 bytes that stand for what is learned, from a text that says it in full."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=SUBJECT_BYTES).digest()


def to_bytes(contribution: Contribution) -> bytes:
    """Return a contribution as bytes; raises BadInput when a field cannot be said in them."""
    moments, device = contribution.moments, check_device_id(contribution.device).encode()
    signals = len(moments.mean)
    if len(contribution.subject) != SUBJECT_BYTES or not 0 < signals <= MOST_SIGNALS:
        raise BadInput(f"a contribution needs a subject and 1 to {MOST_SIGNALS} signals")
    if not 0 <= contribution.round < 1 << 64:
        raise BadInput(f"{contribution.round} is not the number of a round")
    numbers = np.concatenate(
        [[moments.count], moments.mean, moments.products[np.triu_indices(signals)]]
    ).astype("<f8")
    head = _HEAD.pack(MAGIC, VERSION, signals, contribution.round, contribution.subject, len(device))
    body = head + device + numbers.tobytes()
    return body + _digest(body)


def from_bytes(content: bytes) -> Contribution:
    """Return the contribution in these bytes.

    Raises BadInput when they are none or were damaged, Unsupported when the format is newer.
    """
    if len(content) < _HEAD.size + _DIGEST_BYTES or content[:4] != MAGIC:
        raise BadInput("these bytes are no contribution")
    _, version, signals, number, subject, length = _HEAD.unpack_from(content)
    if version != VERSION:
        raise Unsupported(f"format {version} of contributions is not known", hint="Update bimetal")
    triangle = signals * (signals + 1) // 2
    expected = _HEAD.size + length + 8 * (1 + signals + triangle) + _DIGEST_BYTES
    if not 0 < signals <= MOST_SIGNALS or len(content) != expected:
        raise BadInput(f"{len(content)} bytes are no contribution of {signals} signals")
    if _digest(content[:-_DIGEST_BYTES]) != content[-_DIGEST_BYTES:]:
        raise BadInput("the contribution was damaged on its way", hint="Send it again")
    try:
        device = check_device_id(content[_HEAD.size : _HEAD.size + length].decode())
    except UnicodeDecodeError:
        raise BadInput("the device id in a contribution is no text") from None
    numbers = np.frombuffer(content, "<f8", 1 + signals + triangle, _HEAD.size + length).astype(np.float64)
    mean = numbers[1 : 1 + signals]
    moments = Moments(float(numbers[0]), mean, _square(numbers[1 + signals :], signals))
    return Contribution(device, number, subject, moments)


def _square(triangle: Floats, signals: int) -> Floats:
    square = np.zeros((signals, signals))
    square[np.triu_indices(signals)] = triangle
    with np.errstate(invalid="ignore"):  # whoever adds it up refuses what is not finite
        return square + np.triu(square, 1).T


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()
