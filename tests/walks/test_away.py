"""Who is away hears, after any kill of the server, every message that was acknowledged meanwhile."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.walks.test_serve import Running, start

PATIENCE_S = 20.0


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


class Ear:
    """A subscriber that asks to be remembered for an hour."""

    def __init__(self, running: Running, version: int, pattern: str = "readings/#") -> None:
        self.heard: list[bytes] = []
        self.present: list[bool] = []
        self.subscribed = threading.Event()
        if version == mqtt.MQTTv5:
            self.client = mqtt.Client(CallbackAPIVersion.VERSION2, "ear", protocol=version)
            asks = Properties(PacketTypes.CONNECT)
            asks.SessionExpiryInterval = 3_600
            more = {"clean_start": False, "properties": asks}
        else:
            self.client = mqtt.Client(
                CallbackAPIVersion.VERSION2, "ear", protocol=version, clean_session=False
            )
            more = {}
        self.client.on_message = lambda client, _, message: self.heard.append(message.payload)
        self.client.on_connect = lambda client, _, flags, *__: self.present.append(flags.session_present)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", running.mqtt_port, **more)
        self.client.loop_start()
        eventually(lambda: bool(self.present))
        if not self.present[0]:
            self.client.subscribe(pattern, 2)
            assert self.subscribed.wait(PATIENCE_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


class Mouth:
    """A publisher that counts what was acknowledged, until the server is gone."""

    def __init__(self, running: Running, qos: int) -> None:
        self.acknowledged: set[bytes] = set()
        self._sent: dict[int, bytes] = {}
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "mouth", reconnect_on_failure=False)
        client.on_publish = lambda _, __, number, *___: self.acknowledged.add(self._sent[number])
        client.connect("127.0.0.1", running.mqtt_port)
        client.loop_start()
        self._client = client
        self._qos = qos

    def say(self, number: int) -> bytes:
        payload = b'{"ts": %d, "pressure": 1}' % (1_767_225_600_000 + number)
        with self._client._out_message_mutex:  # the answer may come before its number is known here
            sent = self._client.publish("readings/pump", payload, self._qos)
            self._sent[sent.mid] = payload
        return payload

    def close(self) -> None:
        self._client.loop_stop()


@pytest.mark.parametrize("version", [mqtt.MQTTv311, mqtt.MQTTv5])
@pytest.mark.parametrize("qos", [1, 2])
def test_who_is_away_hears_all_that_was_acknowledged_before_a_kill(
    tmp_path: Path, version: int, qos: int
) -> None:
    running = start(tmp_path / "data", "--lab")
    ear = Ear(running, version)
    ear.leave()
    mouth = Mouth(running, qos)
    for number in range(300):
        mouth.say(number)
        if number >= 100:
            time.sleep(0.001)  # so that the kill falls among them
        if len(mouth.acknowledged) > 150:
            break
    eventually(lambda: len(mouth.acknowledged) > 50)
    running.stop(signal.SIGKILL)
    mouth.close()
    again = start(tmp_path / "data", "--lab")
    try:
        ear = Ear(again, version)
        assert ear.present == [True]
        eventually(lambda: mouth.acknowledged <= set(ear.heard))
        time.sleep(0.2)
        assert len(ear.heard) == len(set(ear.heard)), "nothing comes twice to who was away all the time"
        ear.leave()
    finally:
        code, _ = again.stop()
    assert code == 0


def test_what_was_left_under_a_topic_is_found_after_a_kill(tmp_path: Path) -> None:
    running = start(tmp_path / "data", "--lab")
    client = mqtt.Client(CallbackAPIVersion.VERSION2, "mouth")
    client.connect("127.0.0.1", running.mqtt_port)
    client.loop_start()
    client.publish("commands/pump/speed", b"7", 1, retain=True).wait_for_publish(PATIENCE_S)
    running.stop(signal.SIGKILL)
    client.loop_stop()
    again = start(tmp_path / "data", "--lab")
    try:
        ear = Ear(again, mqtt.MQTTv5, "commands/#")
        eventually(lambda: ear.heard == [b"7"])
        ear.leave()
    finally:
        again.stop()
