"""Server: the configuration of a NATS server that keeps a fleet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_ALONE = """\
# Written by bimetal. One server of a fleet: nats-server -c {name}.conf
server_name: {name}
listen: "{listen}"
# A shard's state is one message; the default of 1 MB is a few hundred devices a shard.
max_payload: 8MB
jetstream {{
  store_dir: {store}
  # Acknowledge when it is on the disk: by default that is up to two minutes later.
  sync_interval: always
}}
"""
_TOGETHER = """\
cluster {{
  name: bimetal
  listen: "{route}"
  routes: [{routes}]
}}
"""


def server_config(name: str, listen: str, store: Path, route: str = "", peers: Sequence[str] = ()) -> str:
    """Return a server's configuration; with `peers` (host:port of each one's `route`) it is one of several.

    What a server of this configuration acknowledged is on its disk, and with several on most of theirs.
    """
    text = _ALONE.format(name=name, listen=listen, store=json.dumps(str(store)))
    if peers:
        text += _TOGETHER.format(route=route, routes=", ".join(f'"nats://{peer}"' for peer in peers))
    return text
