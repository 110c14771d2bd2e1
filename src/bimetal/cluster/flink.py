"""Flink: the shards of a fleet as one keyed function of a PyFlink job, for those who run Flink.

    parcels (shard, place, bytes) -> key by shard -> ShardFunction -> what was said, as bytes

Keyed by shard, never by device: a record is hundreds of readings, and a state is one value, so that what
Flink does for a record is paid once for all of them. Flink's checkpoints hold the states; a record that is
in a state already is passed over, so that a source may deliver twice, but each shard's in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeAlias

from bimetal.nouns.errors import Unsupported
from bimetal.stream.shard_run import ShardRun

Record: TypeAlias = tuple[int, int, bytes]
"""A shard, the place of the parcel in the shard's log, and the parcel."""

Load: TypeAlias = Callable[[], ShardRun]
"""Makes the model ready, in the process that runs it; it is sent there by pickling."""


def advanced(run: ShardRun, state: bytes, record: Record) -> tuple[bytes, bytes]:
    """Return the state after a record and what was said of it; nothing where it was in the state before.

    Raises as `ShardRun.advance` does.
    """
    _, sequence, parcel = record
    if state and run.open(state).sequence >= sequence:
        return state, b""
    return run.advance(state, sequence, parcel)


def shards_of(stream: Any, load: Load) -> Any:
    """Return what a model says of a PyFlink DataStream of records, a DataStream of bytes.

    Raises Unsupported without PyFlink.
    """
    try:
        types: Any = import_module("pyflink.common").Types
        flink: Any = import_module("pyflink.datastream")
        state: Any = import_module("pyflink.datastream.state")
    except ImportError:
        raise Unsupported("this needs PyFlink", hint="pip install apache-flink") from None
    content = types.PICKLED_BYTE_ARRAY()

    class ShardFunction(flink.KeyedProcessFunction):
        """Runs the records of a shard; its state is the shard's."""

        def open(self, runtime_context: Any) -> None:
            """Make the model ready, once for all shards of a process."""
            self.run = load()
            self.state = runtime_context.get_state(state.ValueStateDescriptor("shard", content))

        def process_element(self, value: Any, _: Any) -> Iterator[bytes]:
            """Run one record."""
            after, said = advanced(self.run, self.state.value() or b"", tuple(value))
            if said:
                self.state.update(after)
                yield said

    keyed = stream.key_by(_shard, key_type=types.INT())
    return keyed.process(ShardFunction(), output_type=content)


def _shard(record: Record) -> int:
    return record[0]
