"""The living plant publishes what the simulator says, in time, and never outlives its parent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput, Broken, NotFound
from bimetal.packs.machine.fault import SIGNALS
from bimetal.packs.machine.live import LivePlant
from bimetal.packs.machine.simulator import simulate
from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt import MqttListener

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process numbers as POSIX has them")


def watched(play: Callable[[MqttListener, list[Message]], Awaitable[None]]) -> list[Message]:
    """Run a play with a listener; return everything that was published."""
    found: list[Message] = []

    async def keep(batch: list[Message]) -> None:
        found.extend(batch)

    async def walk() -> None:
        listener = MqttListener("127.0.0.1", 0, keep, now_ns=time.time_ns)
        await listener.start()
        try:
            await play(listener, found)
        finally:
            await listener.close()

    asyncio.run(walk())
    return found


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def test_what_is_published_is_what_the_simulator_says() -> None:
    plant = None

    async def play(listener: MqttListener, found: list[Message]) -> None:
        nonlocal plant
        plant = LivePlant(
            listener.port, scenario="healthy", machines=3, seconds=2.0, learn_s=0, rate_hz=20, seed=5
        )
        await plant.start()
        assert plant.running
        await until(lambda: not plant.running)
        await plant.close()

    messages = watched(play)
    assert plant is not None
    batch, truth = simulate("healthy", 3, 2.0, 20, 5)
    assert plant.truth == truth == ()
    for number, device in enumerate(batch.devices):
        mine = [message for message in messages if message.client_id == device]
        assert {(message.topic, message.qos) for message in mine} == {(f"readings/{device}", 1)}
        readings = [json.loads(message.payload) for message in mine]
        values = np.array([[reading[name] for name in SIGNALS] for reading in readings])
        assert np.array_equal(values, batch.values[batch.device == number])
        sent_ms = np.array([reading["ts"] for reading in readings])
        assert (np.diff(sent_ms) > 0).all()
        late_ms = np.array([message.received_ns / 1e6 for message in mine]) - sent_ms
        assert late_ms.min() > -1
        assert np.median(late_ms) < 100
        assert sent_ms[0] >= plant.start_ns / 1e6
        assert np.median(np.diff(sent_ms)) == pytest.approx(50, abs=15)


def test_the_truth_is_counted_from_the_start() -> None:
    async def play(listener: MqttListener, found: list[Message]) -> None:
        before = time.time_ns()
        plant = LivePlant(listener.port, machines=6, seconds=120, learn_s=30, seed=2)
        assert plant.truth == ()
        await plant.start()
        assert before <= plant.start_ns <= time.time_ns()
        assert plant.truth == simulate("faults", 6, 120, 10, 2, learn_s=30, start_ns=plant.start_ns)[1]
        assert plant.devices == tuple(f"pump-0{n}" for n in range(1, 7))
        await until(lambda: len(found) > 20)
        with pytest.raises(Broken):
            await plant.start()
        began = time.monotonic()
        await plant.close()
        await plant.close()
        assert time.monotonic() - began < 2.5
        assert not plant.running
        await until(lambda: listener.traffic().open == 0)

    watched(play)


def test_without_a_listener_it_says_so_in_one_sentence() -> None:
    ports: list[int] = []

    async def play(listener: MqttListener, found: list[Message]) -> None:
        ports.append(listener.port)

    watched(play)
    plant = LivePlant(ports[0], machines=1)
    with pytest.raises(BadInput, match=rf"127\.0\.0\.1:{ports[0]}: no MQTT listener answers"):
        asyncio.run(plant.start())
    assert not plant.running


def test_a_bad_wish_is_refused_before_anything_starts() -> None:
    with pytest.raises(NotFound):
        LivePlant(1, scenario="fire")
    with pytest.raises(BadInput, match="too short"):
        LivePlant(1, seconds=10)


PARENT = textwrap.dedent(
    """
    import asyncio, sys, time
    from bimetal.packs.machine.live import LivePlant
    from bimetal.wire.transports.mqtt import MqttListener

    async def main():
        async def keep(batch): ...
        listener = MqttListener("127.0.0.1", 0, keep, now_ns=time.time_ns)
        await listener.start()
        plant = LivePlant(listener.port, machines=2)
        await plant.start()
        print(plant.pid, flush=True)
        await asyncio.sleep(60)

    asyncio.run(main())
    """
)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = f"/proc/{pid}/stat"
    if os.path.exists(status):  # a zombie whose adopter is slow to look is gone all the same
        with open(status) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    return True


def gone(pid: int, within_s: float = 10.0) -> bool:
    deadline = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


@POSIX
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_does_not_outlive_its_parent(how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout
    with parent, parent.stdout:
        child = int(parent.stdout.readline())
        assert alive(child)
        parent.send_signal(how)
        parent.wait(10)
        assert gone(child)


@POSIX
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_child_ends_it_cleanly(
    how: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    async def play(listener: MqttListener, found: list[Message]) -> None:
        plant = LivePlant(listener.port, machines=2)
        await plant.start()
        await until(lambda: len(found) >= 4)
        assert plant.pid
        os.kill(plant.pid, how)
        await until(lambda: not plant.running)
        assert plant._process
        assert plant._process.returncode == 0
        await plant.close()

    watched(play)
    assert capfd.readouterr().err == ""


@POSIX
def test_a_listener_that_comes_back_is_found_again() -> None:
    async def play(listener: MqttListener, found: list[Message]) -> None:
        plant = LivePlant(listener.port, machines=2)
        await plant.start()
        await until(lambda: len(found) >= 4)
        await listener.close()

        async def keep(batch: list[Message]) -> None:
            found.extend(batch)

        second = MqttListener("127.0.0.1", listener.port, keep, now_ns=time.time_ns)
        await second.start()
        before = len(found)
        await until(lambda: len(found) > before + 10)
        assert {message.client_id for message in found[before:]} == set(plant.devices)
        await plant.close()
        await second.close()

    watched(play)
