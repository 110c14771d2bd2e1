"""MqttReader: reads what a broker of others has, and acknowledges it there once it is kept here.

broker -> paho's thread -> what waits -> deliver -> PUBACK
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bimetal.nouns.errors import Broken, Error
from bimetal.trust.tls import client_context
from bimetal.wire.broker import Broker
from bimetal.wire.transport import Clock, Deliver, Message, Traffic

KEEP_ALIVE_S = 30
REMEMBERED_S = 7 * 86_400
"""So long a broker may keep what comes while nobody reads it; AWS allows no more."""
MOST_WAITING = 2_000
"""So many messages are in memory; a broker is not read from while there are more."""
MOST_BYTES = 1_048_576
"""A message that is larger is not asked for."""
AGAIN_S = 1.0
CLOSE_GRACE_S = 5.0
SLOWEST_S = 30
"""A broker that is away is tried again after 1 s, then ever later, and at last so often."""
TAKEN_OVER, OTHER_VERSION = 142, 132
"""Reason codes of MQTT 5, 2.4."""
NO_RETAINED = SubscribeOptions.RETAIN_DO_NOT_SEND


class _Arrived(NamedTuple):
    message: Message
    number: int
    qos: int
    connection: int


class MqttReader:
    """Hand over every message under a broker's topics, each at least once, in the order it came.

    The broker remembers this reader (QoS 1, a session that outlives the connection), so what comes
    while it is away, or is killed, is read afterwards. What cannot be kept is tried again, and not
    acknowledged meanwhile. Messages that were left under topics (retained) are not read: nobody knows
    from when they are. `say` is told in words when the broker lets it in, or not, or is gone.
    Raises as `client_context` does.
    """

    def __init__(
        self, broker: Broker, deliver: Deliver, *, now_ns: Clock, client_id: str, say: Callable[[str], None]
    ) -> None:
        self._broker = broker
        self._deliver = deliver
        self._now_ns = now_ns
        self._say = say
        self._said = ""
        self._client = self._made(broker.client_id or client_id)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taking: asyncio.Task[None] | None = None
        self._some = asyncio.Event()
        self._waiting: list[_Arrived] = []
        self._room = threading.Condition()
        self._heard = threading.Event()
        self._closing = self._answered_to = False
        self._connection = 0
        self._open = self._messages = self._bytes = self._refused = self._failed = 0

    async def start(self) -> None:
        """Begin to read, now or when the broker is there. Raises Broken when started twice."""
        if self._loop:
            raise Broken("this reader was started already")
        self._loop = asyncio.get_running_loop()
        self._taking = asyncio.create_task(self._take())
        broker = self._broker
        if broker.level == MQTTProtocolVersion.MQTTv5:
            wish = Properties(PacketTypes.CONNECT)
            wish.SessionExpiryInterval = REMEMBERED_S
            wish.ReceiveMaximum = MOST_WAITING
            wish.MaximumPacketSize = MOST_BYTES
            self._client.connect_async(
                broker.host, broker.port, KEEP_ALIVE_S, clean_start=False, properties=wish
            )
        else:
            self._client.connect_async(broker.host, broker.port, KEEP_ALIVE_S)
        self._client.loop_start()

    async def close(self) -> None:
        """Hand over what has arrived, within a few seconds, and leave; the broker keeps the rest."""
        if self._loop is None or self._closing:
            return
        with self._room:
            self._closing = True
            self._room.notify_all()
        self._some.set()
        if self._taking and not self._taking.done():
            await asyncio.wait([self._taking], timeout=CLOSE_GRACE_S)
            self._taking.cancel()
        await asyncio.to_thread(self._leave)

    async def finished(self) -> None:
        """Wait until closed: a broker may always have more, and what cannot be kept is tried again."""
        if self._taking:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(self._taking)

    def traffic(self) -> Traffic:
        """Return what was read and kept, and how often the broker was connected to or said no."""
        return Traffic(
            messages=self._messages,
            bytes=self._bytes,
            open=self._open,
            connections=self._connection,
            refused=self._refused,
            failed=self._failed,
        )

    async def _take(self) -> None:
        """Keep what waits, all of it at once, and only then acknowledge it."""
        while not self._closing or self._waiting:
            await self._some.wait()
            self._some.clear()
            with self._room:
                arrived, self._waiting = self._waiting, []
            if arrived:
                await self._keep([one.message for one in arrived])
                self._acknowledge(arrived)
                with self._room:
                    self._room.notify_all()

    async def _keep(self, messages: list[Message]) -> None:
        while True:
            try:
                return await self._deliver(messages)
            except Exception as error:
                self._failed += len(messages)
                why = error.sentence() if isinstance(error, Error) else f"{type(error).__name__}."
                self._tell(f"{len(messages):,} messages could not be kept and wait: {why}")
                await asyncio.sleep(AGAIN_S)

    def _acknowledge(self, arrived: list[_Arrived]) -> None:
        for one in arrived:
            self._messages += 1
            self._bytes += len(one.message.payload)
            # On another connection the number may be another message's; this one is sent again.
            if one.qos and one.connection == self._connection:
                self._client.ack(one.number, one.qos)

    def _leave(self) -> None:
        # The answer to a second subscription says that the broker has read all acknowledgements, which
        # it may not when the connection just ends.
        self._heard.clear()
        if self._open:
            self._subscribe()
            self._heard.wait(CLOSE_GRACE_S)
        self._client.disconnect()
        self._client.loop_stop()
        self._open = 0

    def _made(self, client_id: str) -> Client:
        broker = self._broker
        version = MQTTProtocolVersion(broker.level)
        clean = None if version == MQTTProtocolVersion.MQTTv5 else False
        client = Client(
            CallbackAPIVersion.VERSION2, client_id, clean_session=clean, protocol=version, manual_ack=True
        )
        client.reconnect_delay_set(1, SLOWEST_S)
        if broker.user:
            client.username_pw_set(broker.user, broker.password or None)
        if broker.secure:
            context = client_context(broker.ca, broker.own)
            if broker.alpn:
                context.set_alpn_protocols([broker.alpn])
            client.tls_set_context(context)  # pyright: ignore[reportUnknownMemberType]
        client.on_connect, client.on_connect_fail = self._met, self._missed
        client.on_disconnect, client.on_subscribe = self._parted, self._answered
        client.on_message = self._arrived
        return client

    # What follows runs in paho's thread.

    def _met(
        self, client: Client, _: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._answered_to = True
        if code.is_failure:
            self._refused += 1
            old = code.value == OTHER_VERSION
            self._tell(f"it says no ({code})." + (' Write version = "3.1.1".' if old else ""))
            return
        self._connection += 1
        self._open = 1
        self._subscribe()

    def _subscribe(self) -> None:
        wanted = self._broker.filter
        if self._broker.level == MQTTProtocolVersion.MQTTv5:
            self._client.subscribe(wanted, options=SubscribeOptions(qos=1, retainHandling=NO_RETAINED))
        else:
            self._client.subscribe(wanted, 1)

    def _answered(
        self, client: Client, _: Any, number: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        self._heard.set()
        answer = codes[0]
        wanted = self._broker.filter
        if answer.is_failure:
            self._refused += 1
            self._tell(f"it does not let this reader hear {wanted!a} ({answer}).")
        elif answer.value == 0:
            self._tell(f"{wanted!a} is read, but it grants QoS 0 alone: what comes meanwhile may be lost.")
        else:
            self._tell(f"{wanted!a} is read.")

    def _missed(self, client: Client, _: Any) -> None:
        self._tell(f"it cannot be reached ({_why(sys.exc_info()[1])}); tried again and again.")

    def _parted(
        self, client: Client, _: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        answered, self._answered_to = self._answered_to, False
        was, self._open = self._open, 0
        if self._closing:
            return
        if code.value == TAKEN_OVER:
            self._tell("another client has the same client_id; give each its own.")
        elif was:
            self._tell(f"the connection is gone ({code}); tried again and again.")
        elif not answered:
            self._tell("it hangs up before it answers: does it want a certificate, TLS, or another version?")

    def _arrived(self, client: Client, _: Any, said: MQTTMessage) -> None:
        try:
            message = self._message(said)
        except (UnicodeDecodeError, IndexError):  # a topic that no broker may let through
            self._refused += 1
            message = None
        if said.retain or message is None:
            client.ack(said.mid, said.qos)
            return
        with self._room:
            while len(self._waiting) >= MOST_WAITING and not self._closing:
                self._room.wait()
            if self._closing:  # not acknowledged, so that it comes again
                return
            self._waiting.append(_Arrived(message, said.mid, said.qos, self._connection))
            first = len(self._waiting) == 1
        if first and self._loop:
            with contextlib.suppress(RuntimeError):  # the loop may be gone by now
                self._loop.call_soon_threadsafe(self._some.set)

    def _message(self, said: MQTTMessage) -> Message:
        kind = getattr(said.properties, "ContentType", "")
        topic, name = self._broker.readings(said.topic), self._broker.name
        return Message(topic, bytes(said.payload), name, self._now_ns(), said.qos, kind)

    def _tell(self, words: str) -> None:
        """Say how things stand, unless it was the last that was said."""
        if words != self._said:
            self._said = words
            self._say(f"Broker {self._broker.name!a}: {words}")


def _why(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or "no answer"
