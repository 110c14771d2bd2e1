"""Peer: the certificate a client has shown, carried along with its requests.

uvicorn does not hand it on; a protocol of its own kind does, by the state that every request gets.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, cast

from bimetal.trust.tls import Peer

_STATE = "bimetal.certificate"


def certified(protocol: type[asyncio.Protocol]) -> type[asyncio.Protocol]:
    """Return a protocol of uvicorn's that also notes the certificate each client has shown."""

    def connection_made(self: Any, transport: asyncio.BaseTransport) -> None:
        self.app_state = {**self.app_state, _STATE: transport.get_extra_info("peercert")}
        protocol.connection_made(self, transport)

    return type("Certified", (protocol,), {"connection_made": connection_made})


def certificate_of(scope: MutableMapping[str, Any]) -> Peer | None:
    """Return the certificate that was shown and checked for a request, None when there was none."""
    state = cast("dict[str, Any]", scope.get("state") or {})
    return cast("Peer | None", state.get(_STATE))
