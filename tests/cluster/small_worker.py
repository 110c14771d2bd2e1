"""A worker of the small program in a process of its own.

Run: python -m tests.cluster.small_worker NAME SHARDS REPLICAS CLOCK URL...   CLOCK is `still` or `real`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from bimetal.cluster.jet import connect
from bimetal.cluster.name import Fleet
from bimetal.cluster.turn import Pace
from bimetal.cluster.worker import Worker
from tests.stream.shard_case import RUN

PACE = Pace(batch=4, save_parcels=8, save_s=0.5, pin_s=2.0, pull_s=0.5, repeat_s=4.0)


async def main(name: str, shards: int, replicas: int, still: bool, urls: list[str]) -> None:
    """Work until told to end, then print what was done."""
    jet = await connect(urls)
    clock = (lambda: 0) if still else time.time_ns
    worker = Worker(name, RUN, jet, Fleet("t", shards, replicas), clock, PACE, print)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.leave)
    await worker.go()
    await jet.wire.close()
    print(f"{os.times().user + os.times().system:.2f} CPU-s; {worker.tally}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "still", sys.argv[5:]))
