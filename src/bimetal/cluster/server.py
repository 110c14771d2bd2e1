"""Server: the configuration of a NATS server that keeps a fleet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bimetal.nouns.errors import NotAllowed
from bimetal.trust.tls import TlsFiles, is_loopback

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
{tls}}}
"""
_TLS = """\
{indent}tls {{
{indent}  cert_file: {cert}
{indent}  key_file: {key}
{indent}  ca_file: {ca}
{indent}  # Nobody is let in without a certificate of this authority.
{indent}  verify: true
{indent}  min_version: "1.2"
{first}{indent}}}
"""
_FIRST = """\
  # And nothing is said before: or somebody between could say that there is no TLS.
  handshake_first: true
"""


def server_config(
    name: str,
    listen: str,
    store: Path,
    route: str = "",
    peers: Sequence[str] = (),
    tls: TlsFiles | None = None,
) -> str:
    """Return a server's configuration; with `peers` (host:port of each one's `route`) it is one of several.

    What a server of this configuration acknowledged is on its disk, and with several on most of theirs.
    With `tls` it speaks to those alone, servers and clients, that show a certificate of its `client_ca`.

    Raises NotAllowed for a place that other machines reach without `tls`.
    """
    for place in (listen, *([route] if peers else [])):
        if tls is None and not is_loopback(place.rpartition(":")[0].strip("[]")):
            raise NotAllowed(
                "without TLS, only this machine itself may connect",
                where=place,
                hint="Give --tls-cert, --tls-key and --tls-ca (bimetal certify --member makes them)",
            )
    text = _ALONE.format(name=name, listen=listen, store=json.dumps(str(store)))
    if tls:
        text += _tls(tls, "")
    if peers:
        routes = ", ".join(f'"nats://{peer}"' for peer in peers)
        text += _TOGETHER.format(route=route, routes=routes, tls=_tls(tls, "  ") if tls else "")
    return text


def _tls(files: TlsFiles, indent: str) -> str:
    named = {"cert": files.cert, "key": files.key, "ca": files.client_ca}
    first = "" if indent else _FIRST  # among servers there is nothing else
    return _TLS.format(indent=indent, first=first, **{k: json.dumps(str(path)) for k, path in named.items()})
