"""Whether headroom tells the truth: what it predicts on the way, against where a server really ends.

Run: python -m bench.headroom [--light 500], or make bench-headroom. Devices send at a pace that is doubled
from step to step until acknowledgements come later than BOUND_MS (the middle one) or fewer than were sent.
After each step the prediction is read. Other work on the machine takes processor time from the server that
no prediction can know, so what was observed is also told for a second of the server's processor time.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.serve_load import Taken, cpu_s, load, model_of, server, single
from bimetal.cli.gauging import LOOK_S

BOUND_MS = 250.0
DEVICES = 400
READINGS = 3
GROWTH = 2.0
STEP_S = 1.5 * LOOK_S


@dataclass(frozen=True, slots=True)
class Step:
    """One pace: messages a second that were to be sent, what came of it, and the processors it had."""

    wanted: float
    taken: Taken
    lanes: float

    @property
    def rate(self) -> float:
        """Messages acknowledged a second."""
        return self.taken.messages / self.taken.seconds

    @property
    def saturated(self) -> bool:
        """Whether acknowledgements come late, or not all do."""
        return self.taken.wait_ms(0.5) > BOUND_MS or self.rate < 0.9 * self.wanted


def predicted(port: int) -> float:
    """How many readings a second the server says it can take."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/api/v1/headroom")
    said = json.loads(connection.getresponse().read())["headroom"]
    return float(said["capacity"])


def step(port: int, pid: int, wanted: float, seconds: float) -> Step:
    """Send at a pace for so long."""
    before: list[tuple[float, float]] = []
    begin = lambda: before.append((cpu_s([pid]), time.perf_counter()))  # noqa: E731
    taken = load(port, DEVICES, 1, single, seconds, DEVICES / wanted, begin)
    busy, wall = cpu_s([pid]) - before[0][0], time.perf_counter() - before[0][1]
    return Step(wanted, taken, busy / wall)


def ramp(light: float) -> None:
    """Print the ramp, and what was predicted on the way against what came of it."""
    told: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with server(folder, model_of(folder)) as (mqtt_port, http_port, pid):
            print("| messages/s wanted | acknowledged | ack ms p50/p99 | processors | load |")
            print("|---|---|---|---|---|")
            wanted = light
            while not (now := shown(step(mqtt_port, pid, wanted, STEP_S))).saturated:
                told.append((now.rate * READINGS, predicted(http_port)))
                wanted *= GROWTH
    most = now.rate * READINGS
    each = most / now.lanes
    print(f"\nobserved at most {most:,.0f} readings/s, {each:,.0f} for a second of the processor")
    print("| readings/s that came | predicted | to observed | to that of a processor second |")
    print("|---|---|---|---|")
    for came, said in told:
        print(f"| {came:,.0f} ({came / most:.0%}) | {said:,.0f} | {said / most:.2f} | {said / each:.2f} |")


def shown(done: Step) -> Step:
    """Print a step and return it."""
    waits = f"{done.taken.wait_ms(0.5):.1f} / {done.taken.wait_ms(0.99):.1f}"
    print(
        f"| {done.wanted:,.0f} | {done.rate:,.0f} | {waits} | {done.lanes:.2f} | {os.getloadavg()[0]:.1f} |",
        flush=True,
    )
    return done


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--light", type=float, default=500.0, help="messages a second to begin with")
    ramp(words.parse_args().light)
