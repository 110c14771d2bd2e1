"""Outside: what anybody may send: messages, packets, tables and descriptions of them."""

from __future__ import annotations

import asyncio
import io
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec
import numpy as np

from bimetal.nouns.errors import Error
from bimetal.packs.pack import read_manifest
from bimetal.trust.identify import anybody
from bimetal.wire.codec import Codec
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.codecs.shaped import ShapedCodec, shape_of
from bimetal.wire.file import open_table
from bimetal.wire.format import FORMATS, Formats
from bimetal.wire.live import stream_table
from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt.codec5 import Codec5
from bimetal.wire.transports.mqtt.codec311 import Codec311
from bimetal.wire.transports.mqtt.connection import Connection
from bimetal.wire.transports.mqtt.exchange import Exchange
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import Codec as MqttCodec
from bimetal.wire.transports.mqtt.packet import Filter, Framer, PacketType, Publish
from bimetal.wire.transports.mqtt.record import Letter, Retained, Terms, read_notes
from tests.fuzz.decoder import Decoder, file
from tests.keep.given import START, TEMPERATURE, batch
from tests.wire.transports import mqtt_peer as peer
from tests.wire.transports.test_mqtt_hostile import Wire

NOW_NS = START + 10**15
SHAPE = 'rows = "data.rows"\ntime = "at"\n[signals]\npressure = "v.p"\n"level.2" = "l"\n'


def codec(name: str) -> Decoder:
    """A message format: whatever a payload holds, its neighbours are read as they are without it."""
    chosen: Codec = ShapedCodec(shape_of(SHAPE)) if name == "shaped" else Formats(JsonCodec()).codec(name)

    @cache
    def seeds() -> list[bytes]:
        return [p for rows in (1, 2, 9) for p in chosen.encode(batch(rows, devices=("a",)))]

    def read(content: bytes) -> None:
        neighbour = seeds()[0]
        alone = chosen.decode("a", [neighbour], [NOW_NS])
        said = chosen.decode("a", [neighbour, content, neighbour], [NOW_NS] * 3)
        assert {q.index for q in said.quarantined} <= {1}
        for place in (0, 2):
            mine = said.message == place
            assert np.array_equal(said.time_ns[mine], alone.time_ns)
            columns = [said.signals.index(s) for s in alone.signals]
            assert np.array_equal(said.values[mine][:, columns], alone.values, equal_nan=True)

    return Decoder(read, seeds)


def packets(spoken: MqttCodec, version: int) -> Decoder:
    """A stream of MQTT packets, one byte, or all of it, at a time."""

    def read(content: bytes) -> None:
        for first, body in Framer(65_536).feed(content):
            spoken.decode(first, body)

    return Decoder(read, lambda: talk(version))


def talk(version: int) -> list[bytes]:
    """What clients say."""
    p = peer
    return [
        p.connect("c", version) + p.publish("a/b", b"x", 1, 7, version) + p.subscribe("#", 2, 3, version),
        p.connect("c", version, clean=False) + p.publish("readings/c", b'{"p":1}', 2, 7, version),
        p.connect("c", version, login=("ann", b"secret")) + p.packet(0x62, 7) + p.packet(0x40, 1),
        p.connect("c", version) + p.packet(0xA2, 1, b"\0" if version == 5 else b"", p.text("#")),
        p.connect("c", version) + p.PINGREQ + p.DISCONNECT,
    ] + [
        p.connect("c", 5, properties=b"\x11\0\0\0\x3c") + p.subscribe("$share/g/a", 1),
        p.connect("c", 5, properties=b"\x11\0\0\0\x3c") + b"\xe0\x07\x00\x05\x11\0\0\0\x09",
    ] * (version == 5)


def connection() -> Decoder:
    """A whole connection of the listener: it may be cut off, and nothing else happens."""
    loop = asyncio.new_event_loop()
    trouble: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: trouble.append(context))

    async def talk_to(content: bytes) -> None:
        async def deliver(messages: list[Message]) -> None:
            await asyncio.sleep(0)

        exchange = Exchange(deliver, time.time_ns, Limits(tick_s=0.0), anybody)
        wire, one = Wire(), Connection(exchange)
        one.connection_made(wire)
        middle = len(content) // 2
        for part in (content[:middle], content[middle:]):
            if part:
                one.data_received(part)
            for _ in range(4):
                await asyncio.sleep(0)
        one.connection_lost(None)
        await exchange.close()
        await exchange.finish()
        assert exchange.traffic().open == 0
        assert not trouble, trouble

    return Decoder(lambda content: loop.run_until_complete(talk_to(content)), lambda: [*talk(5), *talk(4)])


def notes() -> Decoder:
    """What an MQTT listener remembers, each note under every kind."""
    publish = Publish("a", b"x", 1)
    seeds = [
        Terms("me", 60), Filter("a/#", 1), 7, Retained(publish, 1),
        Letter(1, 2, publish, 3, PacketType.PUBACK, "$share/g/a"),
    ]  # fmt: skip

    def read(content: bytes) -> None:
        for kind in ("session", "filter", "letter", "received", "retained"):
            with suppress(Error):
                read_notes([((kind, "c", "1"), ("a", content))])

    return Decoder(read, lambda: [msgspec.msgpack.encode(seed) for seed in seeds])


def tables() -> list[bytes]:
    """Files of readings as people have them."""
    rows = "".join(f"2026-01-01 00:{k // 60:02}:{k % 60:02},{20 + k % 7 / 4},{k % 5},ok\n" for k in range(90))
    plain = "time,temperature [Cel],level,state\n" + rows
    german = plain.replace(".", ",").replace(",", ";", 0).replace("2026-01-01", "01.01.2026")
    return [
        plain.encode(), german.encode("latin-1"), plain.encode("utf-16"), plain.replace(",", "\t").encode(),
        b"1,2\n3,4\n" * 50, ("device,signal,time,value\n" + "".join(
            f"{'ab'[k % 2]},{'pq'[k // 2 % 2]},{1_767_225_600 + k // 4},{k % 9}\n" for k in range(200)
        )).encode(),
    ]  # fmt: skip


def read_table(path: Path) -> None:
    """Read a table from its file, to its end."""
    for _ in open_table(path).batches(rows_per_batch=50):
        pass


def read_live(content: bytes) -> None:
    """Read a table as it comes through a pipe."""
    for _ in stream_table(io.BytesIO(content), expect=(TEMPERATURE,)):
        pass


def manifests() -> list[bytes]:
    """What packs say of themselves."""
    import bimetal.packs

    return [p.read_bytes() for p in Path(bimetal.packs.__file__).parent.glob("*/pack.toml")]


def text(content: bytes) -> str:
    """What a file of text holds, whatever it holds."""
    return content.decode("utf-8", "replace")


OUTSIDE: dict[str, Decoder] = {
    **{name: codec(name) for name in (*FORMATS, "shaped")},
    "mqtt-3.1.1": packets(Codec311(), 4),
    "mqtt-5": packets(Codec5(), 5),
    "mqtt-connection": connection(),
    "mqtt-notes": notes(),
    "table": file("a.csv", read_table, tables),
    "live": Decoder(read_live, lambda: tables()[:1]),
    "shape": Decoder(lambda content: shape_of(text(content)), lambda: [SHAPE.encode()]),
    "pack": Decoder(lambda content: read_manifest(text(content), "a"), manifests),
}
