"""Webhook: every notice as an HTTPS POST to an address of the user's, and to nowhere else.

Rules, in order: the address must be https (http only to this machine); every address the host
name stands for must be public, unless the user said `private=yes`; the connection goes to the
address that was checked, not to a second look-up; a redirect is never followed; an answer of
500 and above, 408, 429 or none is tried again a few times; anything else but 2xx is given up.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from bimetal.keep.event_line import to_line
from bimetal.nouns.errors import BadInput, NotAllowed
from bimetal.tell.alarm import Notice
from bimetal.tell.channel import check_settings

TRIES = 3
FIRST_WAIT_S = 0.5
_AGAIN = frozenset([408, 429, *range(500, 600)])


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts every notice as JSON to `url`; what is secret in it is never shown.

    `wait` and `context` are how to wait between tries and whom TLS trusts.
    """

    url: str = field(repr=False)
    private: bool = False
    timeout_s: float = 5.0
    wait: Callable[[float], None] = time.sleep
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)

    def __post_init__(self) -> None:
        _checked(self.url)

    @classmethod
    def opened(cls, settings: Mapping[str, str]) -> Webhook:
        """Post to the setting `url`; `private=yes` allows addresses inside a network of one's own."""
        check_settings(settings, ("url", "private"), "webhook")
        if settings.get("private", "no") not in ("yes", "no"):
            raise BadInput("private is yes or no", where="webhook")
        return cls(settings.get("url", ""), settings.get("private") == "yes")

    def tell(self, notice: Notice) -> None:
        """Post a notice; raises NotAllowed for an address that may not be reached, BadInput when nobody
        took it after a few tries."""
        body = to_line(notice.event)
        said = ""
        for attempt in range(TRIES):
            if attempt:
                self.wait(FIRST_WAIT_S * 2 ** (attempt - 1))
            try:
                status = self._post(body)
            except (OSError, http.client.HTTPException) as error:
                said = f"no answer: {type(error).__name__}"
                continue
            if 200 <= status < 300:
                return
            said = f"the answer was {status}"
            if status not in _AGAIN:
                break
        raise BadInput(f"the notice was not taken: {said}", where=self._where(), hint="Check the address")

    def close(self) -> None:
        """Hold nothing between notices."""

    def _post(self, body: bytes) -> int:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        link = http.client.HTTPConnection(host, port, timeout=self.timeout_s)
        try:
            plain = socket.create_connection((self._address(parts, port), port), self.timeout_s)
            secure = parts.scheme == "https"
            link.sock = self.context.wrap_socket(plain, server_hostname=host) if secure else plain
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            link.request("POST", path, body, {"Content-Type": "application/json", "User-Agent": "bimetal"})
            return link.getresponse().status
        finally:
            link.close()

    def _address(self, parts: SplitResult, port: int) -> str:
        """Return the first address of the host, all of which must be allowed."""
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
        for address in addresses:
            inside = not address.is_global or address.is_multicast
            if parts.scheme == "http" and not address.is_loopback:
                raise NotAllowed(
                    "plain http reaches no further than this machine", where=self._where(), hint="Use https"
                )
            if inside and not self.private:
                raise NotAllowed(
                    "this address lies inside a private network",
                    where=self._where(),
                    hint="Say private=yes if that is meant",
                )
        return str(addresses[0])

    def _where(self) -> str:
        parts = urlsplit(self.url)
        return f"webhook {parts.scheme}://{parts.hostname}"


def _checked(url: str) -> None:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput("the setting url is not an https address", where="webhook", hint="url=https://...")
