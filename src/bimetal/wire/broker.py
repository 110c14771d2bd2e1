"""Broker: somebody's MQTT broker whose messages are read, each in one line of TOML.

plant = "mqtts://reader@broker.example.com/plant/{device}/telemetry"

[mill]                                     # or, with more to say
url = "mqtts://abc-ats.iot.eu-central-1.amazonaws.com/mill/+/{device}"
cert = "mill.pem"                          # shown to the broker, with its key
key = "mill.key"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from bimetal.nouns.errors import BadInput, NotAllowed
from bimetal.trust.tls import TlsFiles, is_loopback
from bimetal.wire.format import FORMATS
from bimetal.wire.text_file import text_of
from bimetal.wire.transport import READINGS

PORTS = {"mqtt": 1883, "mqtts": 8883}
"""As registered with IANA."""
VERSIONS = {"5": 5, "3.1.1": 4}
"""Protocol levels on the wire."""
DEVICE = "{device}"
SHARE = "$share/"
DEEPEST = 64
LONGEST = 1_024
_HINT = 'Write NAME = "mqtts://user@host/plant/{device}/telemetry"'


class Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What can be said of a broker; paths count from the folder of the file."""

    url: str
    """mqtt:// or mqtts://, user, host, port and topics, of which the level `{device}` names the device."""
    device: str = ""
    """Whose readings they are, where no level of the topic names it."""
    format: str = ""
    """What messages are that do not say it; left out: JSON."""
    ca: str = ""
    """Certificates of the broker's authority; left out: those that this system trusts."""
    cert: str = ""
    key: str = ""
    password_file: str = ""
    version: str = "5"
    client_id: str = ""
    plain: bool = False
    """Whether everything, the password too, may cross the network unencrypted."""
    alpn: str = ""
    """The protocol that the broker tells MQTT by on a port it shares, such as x-amzn-mqtt-ca on 443."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, who reads there, and whose readings its topics carry.

    `device_level` is the level of a topic that names the device, counted from 0; None: it is `device`.
    """

    name: str
    host: str
    port: int
    filter: str
    device_level: int | None
    device: str = ""
    format: str = ""
    user: str = ""
    password: str = ""
    secure: bool = True
    ca: Path | None = None
    own: TlsFiles | None = None
    alpn: str = ""
    level: int = 5
    client_id: str = ""

    def readings(self, topic: str) -> str:
        """Return the topic that readings of the device in a topic of the broker come under here."""
        device = self.device if self.device_level is None else topic.split("/")[self.device_level]
        return f"{READINGS}{device}/{self.format}" if self.format else READINGS + device


def read_brokers(path: Path) -> tuple[Broker, ...]:
    """Read a file of brokers.

    Raises NotFound, BadInput when the file is none or names what does not exist, NotAllowed where a
    password or readings would cross the network in the clear without a word.
    """
    content = text_of(path)
    try:
        said = tomllib.loads(content)
        tables = {name: _table(one) for name, one in said.items()}
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadInput(f"this is no file of brokers: {error}", where=str(path), hint=_HINT) from None
    if not tables:
        raise BadInput("no broker is named here", where=str(path), hint=_HINT)
    return tuple(_broker(name, table, path) for name, table in tables.items())


def _table(said: Any) -> Table:
    return msgspec.convert({"url": said} if isinstance(said, str) else said, Table)


def _broker(name: str, table: Table, path: Path) -> Broker:
    where = f"{path}, {name!a}"
    parts, topics = _parts(table.url, where)
    shape, level = _filter(topics, table.device, where)
    secure = parts.scheme == "mqtts"
    if not secure and not table.plain and not is_loopback(parts.hostname or ""):
        raise NotAllowed(
            "without TLS everybody on the way reads and writes along",
            where=where,
            hint="Write mqtts://, or plain = true if the network is yours alone",
        )
    for key, value, known in (("format", table.format, ("", *FORMATS)), ("version", table.version, VERSIONS)):
        if value not in known:
            raise BadInput(
                f"{value!a} is no {key}", where=where, hint=f"Use one of {', '.join(filter(None, known))}"
            )
    if bool(table.cert) != bool(table.key):
        raise BadInput("a certificate and its key belong together", where=where, hint="Give cert and key")
    beside = path.parent
    return Broker(
        name,
        parts.hostname or "",
        parts.port or PORTS[parts.scheme],
        shape,
        level,
        table.device,
        table.format,
        unquote(parts.username or ""),
        _password(table, parts, beside),
        secure,
        beside / table.ca if table.ca else None,
        TlsFiles(beside / table.cert, beside / table.key) if table.cert else None,
        table.alpn,
        VERSIONS[table.version],
        table.client_id,
    )


def _parts(url: str, where: str) -> tuple[SplitResult, str]:
    """Return what a URL says before its topics, and those as they stand: # and ? mean nothing else there."""
    scheme, found, rest = url.partition("://")
    authority, _, topics = rest.partition("/")
    try:
        parts = urlsplit(f"{scheme}://{authority}")
        if found and scheme in PORTS and topics and parts.hostname and parts.port != 0:
            return parts, topics
    except ValueError:  # what stands where the port does, or in brackets
        pass
    raise BadInput("this is no URL of a broker and its topics", where=where, hint=_HINT)


def _filter(topics: str, device: str, where: str) -> tuple[str, int | None]:
    """Return what to subscribe to (MQTT 5, 4.7), and the level of a topic that names the device."""
    shared = topics.split("/", 2)[2] if topics.startswith(SHARE) and topics.count("/") > 1 else topics
    levels = shared.split("/")
    odd = [x for x in levels if x not in ("+", "#", DEVICE) and any(c in x for c in "+#{}\0")]
    if odd or "#" in levels[:-1] or len(levels) > DEEPEST or len(topics.encode("utf-8", "replace")) > LONGEST:
        raise BadInput(
            f"{topics[:80]!a} are no topics", where=where, hint="+ and {device} are a level, # is the last"
        )
    named = levels.count(DEVICE)
    if named + bool(device) != 1:
        raise BadInput(
            "it must be clear whose readings these are",
            where=where,
            hint='Write {device} for one level of the topics, or device = "..." if all are of one device',
        )
    return topics.replace(DEVICE, "+"), levels.index(DEVICE) if named else None


def _password(table: Table, parts: SplitResult, beside: Path) -> str:
    if not table.password_file:
        return unquote(parts.password or "")
    return text_of(beside / table.password_file).rstrip("\r\n")
