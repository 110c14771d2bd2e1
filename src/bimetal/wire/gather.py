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
from bimetal.wire.format import Formats
from bimetal.wire.transport import Message


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


def gather(messages: Sequence[Message], codec: Codec | Formats, known: Mapping[str, Signal]) -> Gathered:
    """Return the readings of messages under `readings/<device>`; one that cannot be used is set aside.

    The columns are the `known` signals in their order, then others by the name they came with. Never
    raises for what a message holds.
    """
    formats = codec if isinstance(codec, Formats) else Formats(codec)
    together: dict[str, dict[int, tuple[Codec, list[Message]]]] = {}
    poison: list[Poison] = []
    for message in messages:
        try:
            device, chosen = formats.choose(message)
            its = together.setdefault(check_device_id(device), {})
            its.setdefault(id(chosen), (chosen, []))[1].append(message)
        except BadInput as error:
            poison.append(Poison(message, error.what))
    decoded: list[Decoded] = []
    for device, by_codec in together.items():
        parts: list[Decoded] = []
        for chosen, its in by_codec.values():
            said = chosen.decode(device, [m.payload for m in its], [m.received_ns for m in its])
            poison += [Poison(its[q.index], q.reason) for q in said.quarantined]
            if len(said.time_ns):
                parts.append(said)
        if parts:
            decoded.append(parts[0] if len(parts) == 1 else _joined(parts))
    return Gathered(_batch(decoded, known), tuple(poison))


def _joined(parts: Sequence[Decoded]) -> Decoded:
    """Return what several codecs read of one device as if one had."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.signals))
    values = np.full((sum(len(part.time_ns) for part in parts), len(names)), np.nan)
    at = 0
    for part in parts:
        values[at : at + len(part.time_ns), [names.index(name) for name in part.signals]] = part.values
        at += len(part.time_ns)
    return Decoded(
        parts[0].device,
        names,
        np.concatenate([part.time_ns for part in parts]),
        values,
        np.concatenate([part.message for part in parts]),
    )


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
