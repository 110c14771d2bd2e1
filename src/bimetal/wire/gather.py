"""Gather: messages of many devices become one batch, each device's rows in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.codec import Codec, Decoded
from bimetal.wire.transport import READINGS, Message


@dataclass(frozen=True, slots=True)
class Poison:
    """A message that could not be used, as it came, and why, in words."""

    message: Message
    reason: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What messages held: readings as one batch, and the messages that could not be used."""

    batch: Batch
    poison: tuple[Poison, ...]


def gather(messages: Sequence[Message], codec: Codec, known: Mapping[str, Signal]) -> Gathered:
    """Return the readings of messages under `readings/<device>`; one that cannot be used is set aside.

    The columns are the `known` signals in their order, then others by the name they came with. Never
    raises for what a message holds.
    """
    by_device: dict[str, list[Message]] = {}
    poison: list[Poison] = []
    for message in messages:
        try:
            by_device.setdefault(_device(message.topic), []).append(message)
        except BadInput as error:
            poison.append(Poison(message, error.what))
    decoded: list[Decoded] = []
    for device, its in by_device.items():
        said = codec.decode(device, [m.payload for m in its], [m.received_ns for m in its])
        poison += [Poison(its[q.index], q.reason) for q in said.quarantined]
        if len(said.time_ns):
            decoded.append(said)
    return Gathered(_batch(decoded, known), tuple(poison))


def _device(topic: str) -> str:
    if not topic.startswith(READINGS):
        raise BadInput(f"readings come under {READINGS}<device>, not {topic[:60]!a}")
    return check_device_id(topic[len(READINGS) :])


def _batch(decoded: Sequence[Decoded], known: Mapping[str, Signal]) -> Batch:
    others = dict.fromkeys(name for d in decoded for name in d.signals if name not in known)
    signals = (*known.values(), *(Signal(name) for name in others))
    column_of = {s.name: k for k, s in enumerate(signals)}
    parts = [_in_order(d, column_of) for d in decoded]
    return Batch(
        tuple(d.device for d in decoded),
        signals,
        np.concatenate([np.empty(0, np.int64), *(times for times, _ in parts)]),
        np.repeat(np.arange(len(parts), dtype=np.int32), [len(times) for times, _ in parts]),
        np.concatenate([np.empty((0, len(signals))), *(values for _, values in parts)]),
    )


def _in_order(said: Decoded, column_of: Mapping[str, int]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    order = np.argsort(said.time_ns, kind="stable")
    values = np.full((len(order), len(column_of)), np.nan)
    values[:, [column_of[name] for name in said.signals]] = said.values[order]
    return said.time_ns[order], values
