"""A round of devices that measure the same kind of machine, for the tests of this room."""

from __future__ import annotations

import numpy as np

from bimetal.federate.contribution import Contribution, subject_of, to_bytes
from bimetal.federate.moments import Floats, Moments, moments_of
from bimetal.federate.round import Round, Terms

LOW, HIGH = np.array([-50.0, 0.0, -1e4]), np.array([150.0, 16.0, 1e4])
SUBJECT = subject_of("temperature, pressure, flow")
DEVICES = tuple(f"machine-{k}" for k in range(9))


def readings(device: int, rows: int = 200) -> Floats:
    """One device's readings (rows, 3): its own set-point, and signals that move together."""
    random = np.random.default_rng(device)
    load = random.normal(0, 1, (rows, 1))
    centre = np.array([60.0, 6.0, 300.0]) + random.normal(0, 1, 3) * [1.5, 0.2, 15.0]
    return centre + load * [2.0, 0.3, 20.0] + random.normal(0, 1, (rows, 3)) * [1.0, 0.1, 8.0]


def terms(**changes: object) -> Terms:
    """What the round of these tests asks for."""
    given = {"number": 7, "subject": SUBJECT, "low": LOW, "high": HIGH, "devices": frozenset(DEVICES)}
    return Terms(**{**given, **changes})  # type: ignore[arg-type]


def contribution(device: str, moments: Moments, *, number: int = 7, subject: bytes = SUBJECT) -> bytes:
    """A contribution as it arrives."""
    return to_bytes(Contribution(device, number, subject, moments))


def honest(count: int = 9, rows: int = 200) -> list[bytes]:
    """What so many honest devices send."""
    return [contribution(DEVICES[k], moments_of(readings(k, rows))) for k in range(count)]


def filled(contents: list[bytes], **changes: object) -> Round:
    """A round after these contributions."""
    now = Round(terms(**changes))
    for content in contents:
        now = now.receive(content)
    return now
