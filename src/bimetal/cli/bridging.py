"""Bridging: the work of `bimetal bridge`, imported when it is called.

MQTT -> codec -> admit -> parcels of shards -> JetStream -> PUBACK
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

import click

from bimetal.cli.ending import stop_on_signals
from bimetal.cli.entrance import identified
from bimetal.cli.fleet import Cluster, process_name
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


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    folder: Path
    mqtt_port: int
    lab: bool
    cluster: Cluster
    as_json: bool


def bridge(wish: Wish) -> None:
    """Take readings in until interrupted; raises NotAllowed when nobody could ever be let in."""
    asyncio.run(_bridge(wish, wish.cluster.fleet))


async def _bridge(wish: Wish, fleet: Fleet) -> None:
    identify = identified(wish.folder, wish.lab)
    quarantine = Quarantine(wish.folder / "quarantine")
    jet = await wish.cluster.connect()
    way = Bridge(process_name(), jet, fleet)
    await way.start()
    codec, admission = JsonCodec(), Admission(None)

    async def deliver(messages: list[Message]) -> None:
        gathered = gather(messages, codec, {})
        if gathered.poison:
            await asyncio.to_thread(quarantine.append, [refused_of(p) for p in gathered.poison])
        for poison in gathered.poison:
            remark(f"A message from {poison.message.client_id!a} was set aside: {poison.reason}.")
        admitted = admission.admit(gathered.batch).batch
        if len(admitted):
            await way.send(admitted, time.time_ns())

    listener = MqttListener("127.0.0.1", wish.mqtt_port, deliver, now_ns=time.time_ns, identify=identify)
    await listener.start()
    stop = asyncio.Event()
    stop_on_signals(stop)
    remark(f"Readings come in over MQTT at 127.0.0.1:{listener.port} and go to the fleet {fleet.name}")
    try:
        await stop.wait()
    finally:
        await listener.close()
        await jet.wire.close()
    if wish.as_json:
        click.echo(json.dumps({"parcels": way.sent}))
    else:
        remark(f"{way.sent:,} parcels were sent.")
