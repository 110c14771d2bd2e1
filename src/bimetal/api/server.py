"""Serve the app from the running event loop, and stop at once when asked."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Generator

import uvicorn
from starlette.applications import Starlette

from bimetal.api.peer import certified
from bimetal.nouns.errors import BadInput, NotAllowed
from bimetal.trust.tls import is_loopback

GRACE_S = 1
LONGEST_MESSAGE = 4096


def bind(host: str = "127.0.0.1", port: int = 8765, *, beyond_loopback: bool = False) -> socket.socket:
    """Take the port and return its socket; port 0 takes any free one.

    Raises BadInput when the port is in use or cannot be one, NotAllowed for an address other
    machines can reach, since the page has no login, unless `beyond_loopback` says so.
    """
    if not 0 <= port <= 65535:
        raise BadInput(f"{port} is no port", hint="Use a number from 0 (any free port) to 65535")
    if not beyond_loopback and not is_loopback(host):
        raise NotAllowed(
            f"the page has no login and would be open to everybody who can reach {host[:80]!a}",
            hint="Use 127.0.0.1, and an SSH tunnel from elsewhere",
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError):
        raise BadInput(f"there is no address {host[:80]!a} on this machine", hint="Use 127.0.0.1") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise _refused(host, port, error) from None
    listening.setblocking(False)
    return listening


def url_of(listening: socket.socket, *, tls: bool = False) -> str:
    """Return the address of what is served on this socket."""
    host, port = listening.getsockname()[:2]
    return f"http{'s' if tls else ''}://" + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


async def serve(
    app: Starlette,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    sock: socket.socket | None = None,
    tls: ssl.SSLContext | None = None,
    opened: Callable[[str], None] | None = None,
) -> None:
    """Serve until cancelled; then close every tab and return within about a second.

    `sock` is a socket from `bind` (then host and port are not looked at); with `tls` it is HTTPS, and
    requests carry their client's certificate; `opened` is called with the page's address once it
    answers. Raises what `bind` raises, before anything runs.
    """
    listening = sock or bind(host, port)
    url = url_of(listening, tls=tls is not None)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="on",
        loop="none",
        ws_max_size=LONGEST_MESSAGE,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=5,
    )
    if tls is not None:
        config.load()
        config.ssl, config.http_protocol_class = tls, certified(config.http_protocol_class)
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await _started(server, running)
        if opened is not None:
            opened(url)
        await asyncio.shield(running)
    finally:
        await _let_go(app, server)
        await asyncio.wait({running}, timeout=3 * GRACE_S)
        listening.close()


@contextlib.asynccontextmanager
async def serving(
    app: Starlette,
    host: str = "127.0.0.1",
    port: int = 8765,
    *,
    sock: socket.socket | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[str, None]:
    """Serve for the length of an `async with` block, which is given the page's address."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, host, port, sock=sock, tls=tls, opened=address.set_result))
    try:
        await asyncio.wait({task, address}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield address.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn that leaves the process's signals to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def _started(server: uvicorn.Server, running: asyncio.Task[None]) -> None:
    while not server.started:
        if running.done():
            await running
            return
        await asyncio.sleep(0.01)


async def _let_go(app: Starlette, server: uvicorn.Server) -> None:
    if server.started:
        with contextlib.suppress(AttributeError):  # the way in alone has no pulse
            app.state.pulse.cancel()
        await asyncio.sleep(0.05)
        for connection in tuple(server.server_state.connections):
            # A tab that no longer reads would hold the door open until its buffer drains.
            if connection.transport.get_write_buffer_size():
                connection.transport.abort()
    server.should_exit = True


def _refused(host: str, port: int, error: OSError) -> BadInput:
    if error.errno == errno.EADDRINUSE:
        return BadInput(
            f"port {port} is in use", where=host, hint="Stop what uses it, or try --port 0 for any free port"
        )
    if error.errno == errno.EACCES:
        return BadInput(f"port {port} may not be used by you", where=host, hint="Use a port above 1023")
    return BadInput(f"port {port} cannot be opened: {error.strerror}", where=host, hint="Try another port")
