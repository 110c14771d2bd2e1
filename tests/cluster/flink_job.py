"""The job of test_flink.py: lines of `shard sequence base64` in, what was said out, in base64.

Run with the interpreter of PyFlink: flink run -py flink_job.py INPUT OUTPUT PAUSE_MS
"""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path

from pyflink.common import Types, WatermarkStrategy
from pyflink.common.serialization import Encoder
from pyflink.datastream import CheckpointingMode, StreamExecutionEnvironment
from pyflink.datastream.connectors.file_system import (
    FileSink,
    FileSource,
    OutputFileConfig,
    RollingPolicy,
    StreamFormat,
)

from bimetal.cluster.flink import Record, shards_of
from bimetal.stream.shard_run import ShardRun


def load() -> ShardRun:
    """The small program of these tests."""
    from tests.stream.shard_case import RUN

    return RUN


def record(line: str, pause_ms: int) -> Record:
    """A line as a record; slowly, so that there is time to kill something."""
    time.sleep(pause_ms / 1000)
    shard, sequence, content = line.split()
    return int(shard), int(sequence), base64.b64decode(content)


def main(source: str, output: str, pause_ms: int) -> None:
    """Build the job and hand it in."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(2)
    env.enable_checkpointing(1000, CheckpointingMode.EXACTLY_ONCE)
    lines = FileSource.for_record_stream_format(StreamFormat.text_line_format(), source).build()
    parcels = (
        env.from_source(lines, WatermarkStrategy.no_watermarks(), "parcels")
        .set_parallelism(1)
        .map(
            lambda line: record(line, pause_ms),
            output_type=Types.TUPLE([Types.INT(), Types.LONG(), Types.PICKLED_BYTE_ARRAY()]),
        )
        .set_parallelism(1)
    )
    said = shards_of(parcels, load).map(
        lambda content: base64.b64encode(content).decode(), output_type=Types.STRING()
    )
    sink = (
        FileSink.for_row_format(output, Encoder.simple_string_encoder())
        .with_output_file_config(OutputFileConfig.builder().with_part_suffix(".said").build())
        .with_rolling_policy(RollingPolicy.on_checkpoint_rolling_policy())
        .build()
    )
    said.sink_to(sink)
    env.execute(f"shards of {Path(source).name}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
