"""Limits: how much one MQTT client, and all of them together, may ask of the listener."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of an MQTT listener; every buffer in it has one of these.

    `tick_s` and `batch_messages` shape the batches: a batch is what arrived within a tick, or that
    many messages, whichever comes first. `pending_bytes` may wait for `deliver` before the listener
    stops reading; at most `unread_bytes` and `queued_messages` wait for one subscriber who is slow or
    away, `remembered_bytes` for all of them. Clients who ask for it are remembered for `remember_s` at
    most, `remembered_sessions` of them.
    """

    connections: int = 10_000
    connect_timeout_s: float = 5.0
    packet_bytes: int = 262_144
    receive_maximum: int = 1_024
    topic_aliases: int = 16
    filters_per_client: int = 256
    retained_messages: int = 10_000
    retained_bytes: int = 67_108_864
    pending_bytes: int = 16_777_216
    unread_bytes: int = 1_048_576
    queued_messages: int = 1_000
    remember_s: int = 604_800
    remembered_sessions: int = 10_000
    remembered_bytes: int = 67_108_864
    tick_s: float = 0.003
    batch_messages: int = 4_096
    close_grace_s: float = 1.0
