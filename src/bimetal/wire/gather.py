"""Gather: messages of many devices become one batch, each device's rows in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch, those_named
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
    sorted_out = _sorted_out(messages, formats)
    poison, decoded = list(sorted_out.poison), list[Decoded]()
    places: list[NDArray[np.int32]] = []
    for chosen, its in sorted_out.by_codec:
        said = chosen.decode("", [m.payload for m, _ in its], [m.received_ns for m, _ in its])
        of = np.array([place for _, place in its], np.int32)
        parts = [(said, of)]
        if said.quarantined:
            parts = _apart(chosen, its, said, poison)
        decoded += [part for part, _ in parts]
        places += [place[part.message] for part, place in parts]
    return Gathered(_batch(sorted_out.devices, decoded, places, known), tuple(poison))


@dataclass(slots=True)
class _SortedOut:
    """Messages by the codec that reads them, each with its device's place among `devices`."""

    devices: list[str] = field(default_factory=list[str])
    by_codec: list[tuple[Codec, list[tuple[Message, int]]]] = field(
        default_factory=list[tuple[Codec, list[tuple[Message, int]]]]
    )
    poison: list[Poison] = field(default_factory=list[Poison])


def _sorted_out(messages: Sequence[Message], formats: Formats) -> _SortedOut:
    found, place_of, line_of = _SortedOut(), dict[str, int](), dict[int, list[tuple[Message, int]]]()
    seen: dict[tuple[str, str], tuple[list[tuple[Message, int]], int]] = {}
    for message in messages:
        kind = message.topic, message.content_type
        known = seen.get(kind)
        if known is not None:
            known[0].append((message, known[1]))
            continue
        try:
            device, chosen = formats.choose(message)
            place = place_of.get(device)
            if place is None:
                place = place_of[check_device_id(device)] = len(found.devices)
                found.devices.append(device)
        except BadInput as error:
            found.poison.append(Poison(message, error.what))
            continue
        line = line_of.get(id(chosen))
        if line is None:
            line = line_of[id(chosen)] = []
            found.by_codec.append((chosen, line))
        line.append((message, place))
        seen[kind] = line, place
    return found


def _apart(
    codec: Codec, its: Sequence[tuple[Message, int]], said: Decoded, poison: list[Poison]
) -> list[tuple[Decoded, NDArray[np.int32]]]:
    """Read the messages of devices that sent poison anew, device by device.

    So what is too much for all of them together, such as signals of many names, is not for each.
    """
    ill = {its[q.index][1] for q in said.quarantined}
    of = np.array([place for _, place in its], np.int32)
    well = ~np.isin(of[said.message], list(ill))
    rest = replace(said, time_ns=said.time_ns[well], values=said.values[well], message=said.message[well])
    parts = [(rest, of)]
    for place in sorted(ill):
        own = [message for message, its_place in its if its_place == place]
        again = codec.decode("", [m.payload for m in own], [m.received_ns for m in own])
        poison += [Poison(own[q.index], q.reason) for q in again.quarantined]
        parts.append((again, np.full(len(own), place, np.int32)))
    return parts


def _batch(
    devices: Sequence[str],
    decoded: Sequence[Decoded],
    places: Sequence[NDArray[np.int32]],
    known: Mapping[str, Signal],
) -> Batch:
    """Return one batch of all that was decoded, `places` saying of each row whose it is."""
    said = {name for d in decoded for name in _said(d)}
    others = dict.fromkeys(n for d in decoded for n in d.signals if n not in known and n in said)
    signals = (*known.values(), *(Signal(name) for name in others))
    column_of = {s.name: k for k, s in enumerate(signals)}
    time_ns = np.concatenate([np.empty(0, np.int64), *(d.time_ns for d in decoded)])
    device = np.concatenate([np.empty(0, np.int32), *places])
    values = np.full((len(time_ns), len(signals)), np.nan)
    at = 0
    for d in decoded:
        there = [k for k, name in enumerate(d.signals) if name in column_of]
        rows = slice(at, at + len(d.time_ns))
        values[rows, [column_of[d.signals[k]] for k in there]] = d.values[:, there]
        at += len(d.time_ns)
    order = np.lexsort((time_ns, device))
    names, device = those_named(devices, device[order])
    return Batch(names, signals, time_ns[order], device, values[order])


def _said(decoded: Decoded) -> list[str]:
    """Return the signals of which anything was said."""
    some = (~np.isnan(decoded.values)).any(axis=0)
    return [decoded.signals[int(k)] for k in np.flatnonzero(some)]
