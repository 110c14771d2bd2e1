"""The living plant: a process of its own whose machines publish over MQTT while you watch.

    parent                         child: python -m bimetal.packs.machine.live
    LivePlant.start  ── arguments ──▶  plan the faults, connect one client per machine
                     ◀── start_ns ──   one line of JSON, then readings over MQTT
    LivePlant.close  ── end of stdin ─▶ say good-bye, exit

The child leaves as soon as its standard input ends, so it cannot outlive its parent, however that
goes: the system closes the pipe.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

import msgspec

from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput, Broken, Error
from bimetal.packs.machine.fault import SIGNALS, device_names, plan_faults, truth_of
from bimetal.packs.machine.plant import Plant
from bimetal.packs.truth import Truth
from bimetal.wire.transports.mqtt_publisher import MqttPublisher, pump

START_TIMEOUT_S = 30.0
CLOSE_GRACE_S = 3.0
LATEST_S = 1.0
LONGEST_WAIT_S = 0.05
DAY_S = 86_400.0


class LivePlant:
    """A plant in a child process that publishes to an MQTT listener on this machine.

    Topic `readings/<device>`, one JSON object a reading: every signal, and `ts`, the moment of sending
    in milliseconds since 1970 UTC with its fraction. Faults come as `plan_faults` plans them, counted
    from `start_ns`; both `start_ns` and `truth` are there once `start` has returned.
    """

    def __init__(
        self,
        port: int,
        *,
        host: str = "127.0.0.1",
        scenario: str = "faults",
        machines: int = 12,
        seconds: float = DAY_S,
        learn_s: float = 30.0,
        rate_hz: float = 10.0,
        seed: int = 0,
    ) -> None:
        self.start_ns = 0
        self.truth: tuple[Truth, ...] = ()
        self._faults = plan_faults(scenario, machines, seconds, learn_s, seed)
        self.devices = device_names(machines)
        self._arguments = [
            *("--host", host, "--port", str(port), "--scenario", scenario, "--machines", str(machines)),
            *("--seconds", repr(seconds), "--learn", repr(learn_s), "--rate", repr(rate_hz)),
            *("--seed", str(seed)),
        ]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether the plant is publishing."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The number of the child process, None before it was started."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the plant; returns when its machines are connected. Raises BadInput if they cannot be."""
        if self._process:
            raise Broken("this plant was started already")
        # -P: a file of the user's own in the current folder must not be taken for a module of ours.
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", __name__, *self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            self.start_ns = await self._first_words()
        except BaseException:
            await self.close()
            raise
        self.truth = truth_of(self._faults, len(self.devices), self.start_ns)

    async def close(self) -> None:
        """Stop the plant and wait until its process is gone. Idempotent."""
        process = self._process
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), CLOSE_GRACE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _first_words(self) -> int:
        """Return the time the child started its plant, or raise what it could not do."""
        assert self._process
        assert self._process.stdout
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), START_TIMEOUT_S)
            said = json.loads(line)
        except TimeoutError:
            raise BadInput(f"the simulated plant did not start within {START_TIMEOUT_S:g} s") from None
        except ValueError:
            raise Broken("the simulated plant ended before it began") from None
        if "error" in said:
            raise BadInput(said["error"]["what"], where=said["error"]["where"], hint=said["error"]["hint"])
        return int(said["start_ns"])


def main(
    arguments: Sequence[str],
    stdin_fd: int,
    now_ns: Callable[[], int],
    monotonic_s: Callable[[], float],
) -> int:
    """Run the child: publish until the time is up, standard input ends, or a signal says so."""
    chosen = _parser().parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    threading.Thread(target=_until_end, args=(stdin_fd, stop), daemon=True).start()
    publishers: list[MqttPublisher] = []
    try:
        faults = plan_faults(chosen.scenario, chosen.machines, chosen.seconds, chosen.learn, chosen.seed)
        plant = Plant(faults, machines=chosen.machines, rate_hz=chosen.rate, seed=chosen.seed)
        for device in plant.devices:
            publishers.append(MqttPublisher(chosen.host, chosen.port, device, now_s=monotonic_s))
            publishers[-1].connect()
        start_ns, start_s = now_ns(), monotonic_s()
        _say({"start_ns": start_ns})
        _publish(plant, publishers, chosen, stop, lambda: monotonic_s() - start_s, start_ns)
    except Error as error:
        _say({"error": {"what": error.what, "where": error.where, "hint": error.hint}})
        return 1
    finally:
        for publisher in publishers:
            publisher.close(0.2)
    return 0


def _publish(
    plant: Plant,
    publishers: list[MqttPublisher],
    chosen: argparse.Namespace,
    stop: threading.Event,
    elapsed_s: Callable[[], float],
    start_ns: int,
) -> None:
    due_s, period_s = 0.0, 1.0 / chosen.rate
    while not stop.is_set() and due_s < chosen.seconds:
        now_s = elapsed_s()
        if now_s < due_s:
            pump(publishers, min(due_s - now_s, LONGEST_WAIT_S))
            continue
        batch = plant.advance(due_s)
        # After a long sleep of the computer the machines were off, too: a gap, not a burst.
        if now_s - due_s < LATEST_S:
            _send(batch, publishers, lambda: start_ns + int(elapsed_s() * 1e9))
        due_s = round(due_s * chosen.rate + 1) * period_s


def _send(batch: Batch, publishers: list[MqttPublisher], now_ns: Callable[[], int]) -> None:
    for row in range(len(batch)):
        device, values = int(batch.device[row]), batch.values[row].tolist()
        reading = {"ts": now_ns() / 1e6, **dict(zip(SIGNALS, values, strict=True))}
        publishers[device].publish(f"readings/{batch.devices[device]}", msgspec.json.encode(reading))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bimetal.packs.machine.live", description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scenario", default="faults")
    parser.add_argument("--machines", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=DAY_S)
    parser.add_argument("--learn", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    return parser


def _say(words: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # nobody is listening any more
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()


def _until_end(stdin_fd: int, stop: threading.Event) -> None:
    # The bare number: a thread left waiting in sys.stdin would hold its lock when the process ends.
    with contextlib.suppress(OSError):
        while os.read(stdin_fd, 1):
            pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin.fileno(), time.time_ns, time.monotonic))
