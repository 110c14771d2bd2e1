"""Scores what was kept on Ray, two processes at once. Run with Ray's interpreter, see test_fill.py."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import ray

from bimetal.cluster.fill import Fill, devices_by_shard, fill_shard, on_ray


def fill_of(given: list[str | int]) -> Fill:
    """The fill that was asked for."""
    data, output, since, until, shards, stretch = given
    return Fill(Path(str(data)), Path(str(output)), int(since), int(until), int(shards), int(stretch))


def main() -> None:
    """Run every shard."""
    given = json.loads(sys.argv[1])

    def work(shard: int, devices: tuple[str, ...]) -> int:
        from tests.cluster.ray_fill import slowly

        return slowly(given, shard, devices)

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=True)
    print(on_ray(work, devices_by_shard(fill_of(given))))
    ray.shutdown()


def slowly(given: list[str | int], shard: int, devices: tuple[str, ...]) -> int:
    """Run a shard so slowly that it can be killed, and say by whom."""
    from bimetal.cluster import fill as module
    from tests.stream.shard_case import RUN

    fill, real = fill_of(given), module.write_whole
    (fill.output / f"{shard}").mkdir(parents=True, exist_ok=True)
    (fill.output / f"{shard}" / "pid").write_text(str(os.getpid()))

    def slow(path: Path, content: bytes) -> None:
        time.sleep(0.01)
        real(path, content)

    module.write_whole = slow
    try:
        return fill_shard(RUN, fill, shard, devices)
    finally:
        module.write_whole = real


if __name__ == "__main__":
    main()
