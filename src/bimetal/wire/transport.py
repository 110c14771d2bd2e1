"""Transport: the socket through which messages come in, whatever carries them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

READINGS = "readings/"
"""A device publishes its readings under this, with its id behind."""

COMMANDS = "commands/"
"""A device hears what is meant for it under this, with its id and a slash behind."""


def device_of(topic: str) -> str:
    """Return the device whose readings come under a topic."""
    return topic.removeprefix(READINGS).partition("/")[0]


class Message(NamedTuple):
    """One message as it arrived: bytes under a topic, from a client, at an instant.

    `received_ns` counts from 1970-01-01 UTC on the clock the transport was given; `qos` is the
    sender's demand, 0 (may be lost), 1 (at least once) or 2 (exactly once); `content_type` is what it
    says its payload is, empty where it does not.
    A named tuple because one is made for every message, and it costs a third of a frozen dataclass.
    """

    topic: str
    payload: bytes
    client_id: str
    received_ns: int
    qos: int = 0
    content_type: str = ""


Deliver: TypeAlias = Callable[[list[Message]], Awaitable[None]]
"""Takes what arrived, in order of arrival; returning means handed over and kept, raising means not kept."""

Clock: TypeAlias = Callable[[], int]
"""Says what time it is, in nanoseconds since 1970-01-01 UTC."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What went through a transport since it was started; every figure but `open` only grows.

    `messages` and `bytes` were delivered and kept; `open` and `connections` are the connections
    now and ever; `refused` were turned away (connections, packets or lines that broke a rule or a
    limit); `dropped` were not passed on to a slow listener; `failed` were not kept by `deliver`.
    """

    messages: int = 0
    bytes: int = 0
    open: int = 0
    connections: int = 0
    refused: int = 0
    dropped: int = 0
    failed: int = 0


class Transport(Protocol):
    """Bytes in: starts, hands every message to `deliver` in small batches, and stops without a trace.

    A message is acknowledged to its sender, where the protocol can, only after `deliver` returned.
    """

    async def start(self) -> None:
        """Begin to receive. Raises BadInput when the place to receive from cannot be had."""
        ...

    async def close(self) -> None:
        """Hand over what has arrived, then stop; afterwards no task, thread or socket is left. Idempotent."""
        ...

    async def finished(self) -> None:
        """Wait until nothing more can come: the source ran dry, or the transport was closed.

        Raises what `deliver` raised, if that is what stopped the transport.
        """
        ...

    def traffic(self) -> Traffic:
        """Return the counters as they stand."""
        ...
