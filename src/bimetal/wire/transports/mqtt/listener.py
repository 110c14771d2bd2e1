"""MqttListener: the transport for devices that speak MQTT 3.1.1 or 5."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ssl

from bimetal.nouns.errors import BadInput, Broken, NotAllowed
from bimetal.trust.identify import Identify, anybody
from bimetal.trust.tls import is_loopback
from bimetal.wire.transport import Clock, Deliver, Traffic
from bimetal.wire.transports.mqtt.connection import Connection
from bimetal.wire.transports.mqtt.exchange import Exchange, Forgotten, Named
from bimetal.wire.transports.mqtt.ledger import SessionStore
from bimetal.wire.transports.mqtt.limits import Limits

_WAITING_TO_BE_ACCEPTED = 1_024


class MqttListener:
    """Receives MQTT messages on a port of this machine and delivers them in small batches.

    PUBACK and PUBREC are sent only after `deliver` returned: acknowledged means kept. If `deliver`
    raises, the senders of that batch are disconnected without acknowledgement, and send again.
    Subscribers hear a message after it was kept. Clients who ask for it are remembered when they are
    gone, with their subscriptions and what they are still to hear; with a `store`, that and the retained
    messages also outlive the listener, and an acknowledgement means that they do.

    `identify` says who a client is, by the user name (or client identifier) and the password it shows;
    a device it names may publish its own readings and hear its own commands, and nothing else.

    Raises NotAllowed for an address other than loopback without `tls`.
    """

    def __init__(
        self,
        host: str,
        port: int,
        deliver: Deliver,
        *,
        now_ns: Clock,
        identify: Identify = anybody,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        store: SessionStore | None = None,
    ) -> None:
        if not 0 <= port <= 65_535:
            raise BadInput(
                f"{port} is not a port", where=host, hint="Use a number from 0 (any free one) to 65535"
            )
        if tls is None and not is_loopback(host):
            raise NotAllowed(
                "without TLS, only this machine itself may connect",
                where=f"{host}:{port}",
                hint="Listen on 127.0.0.1, or give a TLS certificate",
            )
        self._host = "127.0.0.1" if host == "localhost" else host
        self._port = port
        self._tls = tls
        self._limits = limits or Limits()
        self._exchange = Exchange(deliver, now_ns, self._limits, identify, store)
        self._server: asyncio.Server | None = None
        self._closed = asyncio.Event()

    @property
    def port(self) -> int:
        """The port clients can reach, known once started."""
        return self._port

    @property
    def failure(self) -> BaseException | None:
        """What `deliver` raised last, None while everything was kept."""
        return self._exchange.failure

    async def start(self) -> None:
        """Open the port. Raises BadInput when it is taken, not ours, or what was stored cannot be read."""
        if self._server or self._closed.is_set():
            raise Broken("this MQTT listener was started already")
        await self._exchange.restore()
        secure = self._tls is not None
        try:
            self._server = await asyncio.get_running_loop().create_server(
                lambda: Connection(self._exchange),
                self._host,
                self._port,
                ssl=self._tls,
                backlog=_WAITING_TO_BE_ACCEPTED,
                ssl_handshake_timeout=self._limits.connect_timeout_s if secure else None,
                ssl_shutdown_timeout=self._limits.close_grace_s if secure else None,
            )
        except OSError as error:
            raise _cannot_listen(error, self._host, self._port) from None
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close the port, deliver and acknowledge what has arrived, end every connection."""
        if self._server and not self._closed.is_set():
            self._server.close()
            await self._exchange.close()
            await self._emptied()
            await self._exchange.finish()
            with contextlib.suppress(TimeoutError):  # strangers may still be shaking hands over TLS
                await asyncio.wait_for(self._server.wait_closed(), self._limits.close_grace_s)
        self._closed.set()

    def check_again(self) -> None:
        """Ask `identify` anew about everybody who is connected, and disconnect who is let in no longer."""
        self._exchange.check_again()

    async def erase(self, device: str, named: Named) -> Forgotten:
        """Cut a device off and forget all that is known of it, here and in the store.

        `named` says of bytes whether they name it. It is not let in, and nothing about it is taken, until
        `admit_again`.
        """
        return await self._exchange.erase(device, named)

    def admit_again(self, device: str) -> None:
        """Let in again a device that was erased, if `identify` does."""
        self._exchange.admit_again(device)

    async def forget_before(self, oldest_ns: int) -> int:
        """Forget readings that wait for a client, or were left under a topic, and came before an instant."""
        return await self._exchange.forget_before(oldest_ns)

    async def finished(self) -> None:
        """Wait until the listener is closed."""
        await self._closed.wait()

    def traffic(self) -> Traffic:
        """Return the counters as they stand."""
        return self._exchange.traffic()

    async def _emptied(self) -> None:
        deadline_s = asyncio.get_running_loop().time() + 2 * self._limits.close_grace_s
        while self._exchange.traffic().open and asyncio.get_running_loop().time() < deadline_s:
            await asyncio.sleep(0.005)


def _cannot_listen(error: OSError, host: str, port: int) -> BadInput:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE or "address already in use" in str(error):
        what, hint = "another program has this port", "Stop it, or use another port (0 picks a free one)"
    elif error.errno in (errno.EACCES, errno.EPERM):
        what, hint = "this account may not open this port", "Use a port above 1023, such as 1883 or 8883"
    else:
        what = f"nothing can listen here: {error.strerror or error}"
        hint = "Use an address of this machine, such as 127.0.0.1"
    return BadInput(what, where=where, hint=hint)
