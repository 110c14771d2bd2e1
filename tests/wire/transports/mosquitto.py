"""Mosquitto: a broker of others, really started, stopped and started again."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion


@dataclass
class Mosquitto:
    """A broker on a free port of this machine, with what it remembers in a folder."""

    folder: Path
    words: tuple[str, ...] = ("allow_anonymous true",)
    port: int = field(init=False)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> Mosquitto:
        """Start it, and wait until it listens."""
        self.folder.mkdir(exist_ok=True)
        remembers = ("persistence true", f"persistence_location {self.folder}/", "max_queued_messages 0")
        lines = (f"listener {self.port} 127.0.0.1", *remembers, "user root", *self.words, "")
        (self.folder / "mosquitto.conf").write_text("\n".join(lines))
        said = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            ["mosquitto", "-c", str(self.folder / "mosquitto.conf")], stdout=said, stderr=said
        )
        deadline = time.monotonic() + 20
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            assert time.monotonic() < deadline, self.said()
            assert self.process.poll() is None, self.said()
            time.sleep(0.02)

    def said(self) -> str:
        """What it wrote to its log."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End it; what it remembers is written first, as it is not when it is killed."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)

    def publish(self, topic: str, payloads: list[bytes], *, qos: int = 1, retain: bool = False) -> None:
        """Publish, and wait until all of it is acknowledged."""
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for sent in [client.publish(topic, payload, qos, retain) for payload in payloads]:
            sent.wait_for_publish(20)
            assert sent.is_published()
        client.disconnect()
        client.loop_stop()
