"""Brokering: reads what brokers of others have, as if their devices spoke to this machine."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from bimetal.cli.pace import arrival_ns
from bimetal.cli.saying import remark
from bimetal.wire.broker import read_brokers
from bimetal.wire.transport import Deliver
from bimetal.wire.transports.mqtt_reader import MqttReader


def readers(brokers: Path | None, folder: Path, deliver: Deliver) -> tuple[MqttReader, ...]:
    """Return a reader, not started yet, for every broker in a file; raises as `read_brokers` does.

    A broker knows each reader again by its name, this machine and the folder it reads for.
    """
    found = read_brokers(brokers) if brokers else ()
    place = f"{socket.gethostname()}:{folder.resolve()}"
    mark = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return tuple(
        MqttReader(one, deliver, now_ns=arrival_ns, client_id=f"bimetal-{one.name}-{mark}", say=remark)
        for one in found
    )
