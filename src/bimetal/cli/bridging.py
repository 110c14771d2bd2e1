"""Bridging: the work of `bimetal bridge`, imported when it is called.

MQTT, brokers -> codec -> admit -> parcels of shards -> JetStream -> PUBACK
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path

import click

from bimetal.cli.brokering import readers
from bimetal.cli.ending import stop_on_signals
from bimetal.cli.entrance import Door
from bimetal.cli.fleet import Cluster, process_name
from bimetal.cli.grumbling import Grumbler
from bimetal.cli.pace import arrival_ns
from bimetal.cli.saying import remark
from bimetal.cluster.bridge import Bridge
from bimetal.cluster.name import Fleet
from bimetal.keep.quarantine import Quarantine
from bimetal.spine import refused_of
from bimetal.trust.admit import Admission
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.gather import gather
from bimetal.wire.transport import Message
from bimetal.wire.transports.mqtt import MqttListener

TICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    folder: Path
    door: Door
    cluster: Cluster
    brokers: Path | None
    as_json: bool


def bridge(wish: Wish) -> None:
    """Take readings in until interrupted; raises NotAllowed when nobody could ever be let in."""
    wish.door.check()
    asyncio.run(_bridge(wish, wish.cluster.fleet))


async def _bridge(wish: Wish, fleet: Fleet) -> None:
    door, grumbler = wish.door, Grumbler(time.monotonic)
    identify, tls = door.identify(wish.folder, alone=not wish.brokers), door.context()
    quarantine = Quarantine(wish.folder / "quarantine")
    codec, admission = JsonCodec(), Admission(None)

    async def deliver(messages: list[Message]) -> None:
        gathered = gather(messages, codec, {})
        if gathered.poison:
            await asyncio.to_thread(quarantine.append, [refused_of(p) for p in gathered.poison])
            grumbler.hear(gathered.poison)
        admitted = admission.admit(gathered.batch).batch
        if len(admitted):
            await way.send(admitted, time.time_ns())

    listener = MqttListener(
        door.host, door.mqtt_port_or_usual, deliver, now_ns=arrival_ns, identify=identify, tls=tls
    )
    others = readers(wish.brokers, wish.folder, deliver)
    async with contextlib.AsyncExitStack() as stack:
        jet = await wish.cluster.connect()
        stack.push_async_callback(jet.wire.close)
        way = Bridge(process_name(), jet, fleet)
        await way.start()
        await listener.start()
        stack.push_async_callback(listener.close)
        for reader in others:
            await reader.start()
            stack.push_async_callback(reader.close)
        stop = asyncio.Event()
        stop_on_signals(stop)
        remark(f"Readings come in over MQTT at {door.host}:{listener.port} and go to the fleet {fleet.name}")
        await _watch(door, wish.folder, listener, grumbler, stop)
    grumbler.speak(at_once=True)
    if wish.as_json:
        click.echo(json.dumps({"parcels": way.sent}))
    else:
        remark(f"{way.sent:,} parcels were sent.")


async def _watch(
    door: Door, folder: Path, listener: MqttListener, grumbler: Grumbler, stop: asyncio.Event
) -> None:
    """Until interrupted, cut off devices that are no longer let in, and say what is still to be said."""
    stamp = door.stamp(folder)
    while not stop.is_set():
        if stamp != (stamp := door.stamp(folder)):
            listener.check_again()
        grumbler.speak()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), TICK_S)
