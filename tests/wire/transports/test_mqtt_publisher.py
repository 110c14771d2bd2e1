"""Simulated devices publish with QoS 1, share one thread, and come back when they are cut off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from bimetal.nouns.errors import BadInput
from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt_publisher import MOST_UNDER_WAY, MqttPublisher, pump
from tests.wire.transports.mqtt_peer import House, house


def device(port: int, name: str = "pump-01") -> MqttPublisher:
    return MqttPublisher("127.0.0.1", port, name, now_s=time.monotonic)


def pumped(publishers: list[MqttPublisher], until: Callable[[], bool], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not until():
        assert time.monotonic() < deadline, "it did not happen in time"
        pump(publishers, 0.02)


def test_many_devices_share_a_thread() -> None:
    def publish(shelter: House) -> None:
        devices = [device(shelter.listener.port, f"pump-{n}") for n in range(10)]
        for one in devices:
            one.connect()
        for turn in range(30):
            for number, one in enumerate(devices):
                one.publish(f"readings/pump-{number}", b"%d" % turn)
            pump(devices, 0.001)
        pumped(devices, lambda: not any(one.unacknowledged for one in devices))
        for one in devices:
            one.close()

    async def walk() -> None:
        async with house() as shelter:
            await asyncio.to_thread(publish, shelter)
            assert len(shelter.messages) == 300
            for number in range(10):
                mine = [m for m in shelter.messages if m.client_id == f"pump-{number}"]
                assert [int(m.payload) for m in mine] == list(range(30))
                assert {(m.topic, m.qos) for m in mine} == {(f"readings/pump-{number}", 1)}

    asyncio.run(walk())


def test_what_was_not_acknowledged_is_sent_again_after_a_cut() -> None:
    async def walk() -> None:
        kept: list[Message] = []
        refuse = True

        async def deliver(batch: list[Message]) -> None:
            if refuse:
                raise OSError("disk full")
            kept.extend(batch)

        async with house(deliver=deliver) as shelter:
            one = device(shelter.listener.port)

            def publish() -> None:
                one.connect()
                one.publish("a", b"1")
                pumped([one], lambda: not one.connected)

            await asyncio.to_thread(publish)
            assert one.unacknowledged == 1
            refuse = False
            await asyncio.to_thread(pumped, [one], lambda: one.unacknowledged == 0)
            assert [m.payload for m in kept] == [b"1"]
            await asyncio.to_thread(one.close)
            assert not one.connected

    asyncio.run(walk())


def test_too_much_under_way_is_dropped_and_counted() -> None:
    async def walk() -> None:
        go_on = asyncio.Event()

        async def deliver(batch: list[Message]) -> None:
            await go_on.wait()

        async with house(deliver=deliver) as shelter:
            one = device(shelter.listener.port)
            await asyncio.to_thread(one.connect)
            for _ in range(3 * MOST_UNDER_WAY):
                one.publish("a", b"x")
            assert 0 < one.dropped < 3 * MOST_UNDER_WAY
            go_on.set()
            await asyncio.to_thread(pumped, [one], lambda: one.unacknowledged == 0)
            await asyncio.to_thread(one.close)

    asyncio.run(walk())


def test_nobody_there_is_said_in_one_sentence() -> None:
    async def free_port() -> int:
        async with house() as shelter:
            return shelter.listener.port

    port = asyncio.run(free_port())
    with pytest.raises(BadInput, match=r"no MQTT listener answers.*Start the listener first"):
        device(port).connect()


def test_waiting_without_any_connection_takes_its_time() -> None:
    began = time.monotonic()
    pump([], 0.05)
    assert time.monotonic() - began >= 0.045
