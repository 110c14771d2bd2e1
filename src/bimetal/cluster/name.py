"""Name: what the streams, subjects and consumers of a fleet are called on a NATS server.

<fleet>-in                <fleet>.in.<shard>           parcels, the log of every shard
<fleet>-out-<model>       <fleet>.out.<model>.<shard>  what a model said, each parcel once
KV_<fleet>-state-<model>  $KV.<bucket>.<shard>         what a model remembers of a shard
consumer <model>-<shard>  on <fleet>-in                whose turn a shard is
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bimetal.nouns.errors import BadInput
from bimetal.stream.shard import SHARDS

GROUP = "shard"
SHARDS_KEY = "bimetal-shards"
NS = 1_000_000_000
DAY_S = 86_400


def check_word(word: str, what: str) -> str:
    """Return a name unchanged; raises BadInput when it cannot be part of a subject and of a stream."""
    if not word or not word.isascii() or not all(c.isalnum() or c in "-_" for c in word) or len(word) > 64:
        raise BadInput(
            f"{word!a} cannot be the name of a {what}",
            hint="Use letters, digits, - and _, at most 64 of them",
        )
    return word


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet on a server; raises BadInput for a name or a number that cannot be."""

    name: str = "bimetal"
    shards: int = SHARDS
    replicas: int = 1
    keep_s: float = 7 * DAY_S

    def __post_init__(self) -> None:
        check_word(self.name, "fleet")
        if not 1 <= self.shards <= 4096:
            raise BadInput(f"a fleet on NATS has 1 to 4096 shards, not {self.shards}")
        if self.replicas not in (1, 3, 5):
            raise BadInput(f"a fleet is kept once, three or five times, not {self.replicas} times")

    @property
    def log(self) -> str:
        """The stream of parcels."""
        return f"{self.name}-in"

    def subject(self, shard: int) -> str:
        """Return the subject of a shard's parcels."""
        return f"{self.name}.in.{shard}"

    def log_config(self) -> dict[str, Any]:
        """Return how the stream of parcels is made."""
        return self.config(f"{self.name}.in.*") | {
            "max_age": round(self.keep_s * NS),
            "metadata": {SHARDS_KEY: str(self.shards)},
        }

    def check(self, config: Mapping[str, Any]) -> None:
        """Raise BadInput unless a stream of parcels that is there has this fleet's number of shards."""
        metadata: Mapping[str, str] = config.get("metadata") or {}
        found = metadata.get(SHARDS_KEY, "")
        if found != str(self.shards):
            raise BadInput(
                f"this fleet has {found or 'an unknown number of'} shards, not {self.shards}",
                where=self.log,
                hint=f"Use --shards {found}" if found else "Give the fleet another name",
            )

    def of(self, model: str) -> Names:
        """Return what belongs to one model."""
        return Names(self, check_word(model, "model"))

    def config(self, subject: str) -> dict[str, Any]:
        """Return how any of its streams is made."""
        return {
            "subjects": [subject],
            "storage": "file",
            "retention": "limits",
            "discard": "old",
            "allow_direct": True,
            "num_replicas": self.replicas,
            "duplicate_window": 120 * NS,
        }


@dataclass(frozen=True, slots=True)
class Names:
    """What belongs to one model of a fleet."""

    fleet: Fleet
    model: str

    @property
    def said(self) -> str:
        """The stream of what the model said."""
        return f"{self.fleet.name}-out-{self.model}"

    @property
    def states(self) -> str:
        """The stream of the bucket that holds the states."""
        return f"KV_{self.fleet.name}-state-{self.model}"

    @property
    def presence(self) -> str:
        """The subject under which workers say that they are there."""
        return f"{self.fleet.name}.workers.{self.model}"

    def said_of(self, shard: int) -> str:
        """Return the subject of what was said of a shard."""
        return f"{self.fleet.name}.out.{self.model}.{shard}"

    def state_of(self, key: int | str) -> str:
        """Return the subject of a shard's state, or of a named value in the same bucket."""
        return f"$KV.{self.states[3:]}.{key}"

    def consumer(self, shard: int) -> str:
        """Return the consumer that gives out turns for a shard."""
        return f"{self.model}-{shard}"

    def said_config(self) -> dict[str, Any]:
        """Return how the stream of what was said is made."""
        config = self.fleet.config(f"{self.fleet.name}.out.{self.model}.*")
        return config | {"max_age": round(self.fleet.keep_s * NS)}

    def states_config(self) -> dict[str, Any]:
        """Return how the bucket of states is made: as nats-py and the nats command make theirs."""
        return self.fleet.config(f"$KV.{self.states[3:]}.>") | {
            "max_msgs_per_subject": 1,
            "discard": "new",
            "allow_rollup_hdrs": True,
            "deny_delete": True,
        }

    def consumer_config(self, shard: int, pin_s: float, repeat_s: float) -> dict[str, Any]:
        """Return how a shard's consumer is made: one client at a time, chosen by the server (ADR-42)."""
        return {
            "filter_subject": self.fleet.subject(shard),
            "deliver_policy": "all",
            "ack_policy": "all",
            "ack_wait": round(repeat_s * NS),
            "max_ack_pending": 8192,
            "priority_groups": [GROUP],
            "priority_policy": "pinned_client",
            "priority_timeout": round(pin_s * NS),
        }
