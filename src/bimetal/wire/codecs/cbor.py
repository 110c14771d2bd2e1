"""CBOR: the shapes of JSON in RFC 8949, in half the bytes."""

from __future__ import annotations

from collections.abc import Sequence

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import Decoded
from bimetal.wire.harvest import Harvest, harvested, objects_of, read_objects
from bimetal.wire.packed import pack, unpack


class CborCodec:
    """An object of signals and numbers, an array of them, or columns, as `json` has them.

    `ts` may be a CBOR time as well (tags 0 and 1).
    """

    name = "cbor"

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return harvested(device, payloads, received_ns, _read)

    def encode(self, batch: Batch) -> list[bytes]:
        """Return one object for each row, with its time to the microsecond and the values that are there."""
        return [pack(row) for row in objects_of(batch)]


def _read(payload: bytes, received_ns: int, index: int, harvest: Harvest) -> None:
    read_objects(unpack(payload), received_ns, index, harvest)
