"""MqttPublisher: a device's side of MQTT, for simulated devices; many share one thread."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from bimetal.nouns.errors import BadInput

KEEP_ALIVE_S = 30
MOST_UNDER_WAY = 200
RETRY_S = 1.0


class MqttPublisher:
    """One client that publishes with QoS 1 over MQTT 5, and connects again when it is cut off.

    It has no thread of its own: call `pump` often. `now_s` is a clock that never goes back.
    """

    def __init__(self, host: str, port: int, client_id: str, *, now_s: Callable[[], float]) -> None:
        self._place = (host, port)
        self._now_s = now_s
        self._retry_s = 0.0
        self._published = self._acknowledged = self.dropped = 0
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.max_inflight_messages_set(MOST_UNDER_WAY)
        self._client.max_queued_messages_set(MOST_UNDER_WAY)
        self._client.on_publish = self._note_acknowledgement
        self._client.connect_timeout = 5.0

    @property
    def connected(self) -> bool:
        """Whether the listener has accepted this client."""
        return self._client.is_connected()

    @property
    def unacknowledged(self) -> int:
        """How many messages were published and not yet acknowledged."""
        return self._published - self._acknowledged

    @property
    def socket(self) -> socket.socket | None:
        """The socket to wait for, None while there is none."""
        found = self._client.socket()
        return found if isinstance(found, socket.socket) else None

    @property
    def wants_to_write(self) -> bool:
        """Whether something is waiting to be sent."""
        return self._client.want_write()

    def connect(self, timeout_s: float = 5.0) -> None:
        """Connect and wait until accepted. Raises BadInput when nobody answers in time."""
        where = f"{self._place[0]}:{self._place[1]}"
        hint = "Start the listener first, and look at its host and port"
        try:
            self._client.connect(*self._place, keepalive=KEEP_ALIVE_S)
        except OSError as error:
            raise BadInput(
                f"no MQTT listener answers: {error.strerror or error}", where=where, hint=hint
            ) from None
        deadline_s = self._now_s() + timeout_s
        while not self.connected:
            if self._now_s() > deadline_s or self.socket is None:
                raise BadInput("the MQTT listener does not accept the client", where=where, hint=hint)
            pump([self], 0.05)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish one message; it is dropped and counted while too many are under way."""
        if self._client.publish(topic, payload, qos=1).rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            self.dropped += 1
        else:
            self._published += 1

    def attend(self, readable: bool, writable: bool) -> None:
        """Read and write what the socket is ready for, keep the connection alive, or make a new one."""
        if readable:
            self._client.loop_read()
        if writable and self.socket is not None:
            self._client.loop_write()
        if self.socket is not None:
            self._client.loop_misc()
        elif self._now_s() >= self._retry_s:
            self._retry_s = self._now_s() + RETRY_S
            try:
                self._client.reconnect()
            except (OSError, ValueError):  # nobody there yet, or never connected
                return

    def close(self, timeout_s: float = 1.0) -> None:
        """Wait a moment for the last acknowledgements, then say good-bye."""
        deadline_s = self._now_s() + timeout_s
        while self.connected and self.unacknowledged and self._now_s() < deadline_s:
            pump([self], 0.02)
        if self.socket is not None:
            self._client.disconnect()
        self._retry_s = float("inf")

    def _note_acknowledgement(self, *_: Any) -> None:
        self._acknowledged += 1


def pump(publishers: Sequence[MqttPublisher], timeout_s: float) -> None:
    """Send and receive for all publishers, waiting at most `timeout_s` for something to do."""
    by_socket = {found: one for one in publishers if (found := one.socket) is not None}
    writers = [found for found, one in by_socket.items() if one.wants_to_write]
    if by_socket:
        readable, writable, _ = select.select(list(by_socket), writers, [], timeout_s)
    else:  # some systems cannot wait for no socket at all
        threading.Event().wait(timeout_s)
        readable, writable = [], []
    for found, one in by_socket.items():
        one.attend(found in readable, found in writable)
    for one in publishers:
        if one.socket is None:
            one.attend(False, False)
