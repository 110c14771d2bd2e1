"""Torture: a walk that hears, scores and tells is killed; its events are those of one that never was.

Run: python -m tests.walks.torture [KILLS [SEED]], or make torture ARGS=300. Two ways of killing:
at random instants (KILLS of them), and at every single call by which a short series reaches the disk.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bimetal.keep.archive import Archive
from bimetal.keep.event_line import to_line
from bimetal.nouns import Event
from bimetal.spine import HotWalk
from bimetal.stream.late import Reorder
from bimetal.stream.stream import Stream
from bimetal.tell.alarm import Alarms
from bimetal.tell.outbox import Outbox
from bimetal.trust.admit import Admission
from bimetal.wire.codecs.json import JsonCodec
from bimetal.wire.gather import gather
from bimetal.wire.transport import Message
from tests.keep.torture import ended, forked
from tests.stream.given import NAMES, SECOND, SIGNALS, START, scorer, stream

GROUPS = 48
CALLS = ("write", "fsync", "fdatasync", "replace", "rename", "unlink", "ftruncate", "open")
Say = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that arrive together, at an instant."""

    now_ns: int
    messages: list[Message]


def series(seed: int, groups: int = GROUPS) -> list[Group]:
    """Messages of three devices with faults, gaps, stragglers, repeats and rubbish, as they arrive."""
    chance = random.Random(seed)
    rows = stream(9 * groups, seed=seed)
    troubled = chance.choices(((0.0, 0.0), (30.0, 0.0), (0.0, 5000.0), (9.0, 9.0)), (6, 2, 1, 1), k=len(rows))
    rows.values[:] += np.array(troubled)
    now_ns, found, at = START, list[Group](), 0
    for _ in range(groups):
        now_ns += chance.choice((SECOND, SECOND, SECOND, SECOND // 3, 5 * SECOND))
        messages: list[Message] = []
        for _ in range(chance.randrange(1, 7)):
            k = min(at, len(rows) - 1)
            if chance.random() < 0.1:  # one that comes late, or again
                k = max(0, k - chance.randrange(1, 12))
            else:
                at += 1
            if chance.random() < 0.08:  # one that never comes
                continue
            device = rows.devices[int(rows.device[k])]
            values = {n: v for n, v in zip(NAMES, rows.values[k].tolist(), strict=True) if not np.isnan(v)}
            parts = [values] if chance.random() < 0.6 else [{n: v} for n, v in values.items()]
            for part in parts or [{}]:
                payload = json.dumps({"ts": int(rows.time_ns[k]) // 10**6, **part}).encode()
                messages.append(Message(f"readings/{device}", payload, device, now_ns, 1))
        if chance.random() < 0.1:
            messages.append(Message("readings/a", b'{"ts": ', "a", now_ns, 1))
        found.append(Group(now_ns, messages))
    return found


def model() -> Stream:
    """The stream that watches, before it has seen anything."""
    return Stream("distance", Reorder(SIGNALS, period_ns=SECOND), scorer(), key=b"distance")


def said_by(events: Sequence[Event]) -> Counter[bytes]:
    """Events as they are kept, but for their ids, and how often each was said."""
    return Counter(to_line(event).rpartition(b',"id":')[0] for event in events)


def never_killed(groups: Sequence[Group]) -> list[Counter[bytes]]:
    """What a stream that nobody interrupts has said after each group; last, when all has been silent."""
    watching, events, found = model(), list[Event](), list[Counter[bytes]]()
    known = {s.name: s for s in SIGNALS}
    for group in groups:
        batch = Admission(None).admit(gather(group.messages, JsonCodec(), known).batch).batch
        if len(batch):
            events += watching.push(batch, group.now_ns).scored.events
        found.append(said_by(events))
    events += watching.settle(groups[-1].now_ns + 9 * SECOND).scored.events
    return [*found, said_by(events)]


@dataclass(slots=True)
class Life:
    """A walk in a process of its own, from where the one before was killed."""

    folder: Path
    groups: Sequence[Group]
    chance: random.Random
    walk: HotWalk = field(init=False)

    def begin(self) -> None:
        """Open the folder and go on."""
        archive = Archive(self.folder)
        known = {s.name: s for s in SIGNALS}
        self.walk = HotWalk(JsonCodec(), known, Admission(None), archive, Alarms(), Outbox({}))
        self.walk.resume([model()], 0, START)

    def live(self, done: int, say: Say) -> None:
        """Hear the groups that were not acknowledged, saying which were, with upkeep between."""
        self.begin()
        for number in range(done, len(self.groups)):
            group = self.groups[number]
            self.walk.hear(group.messages, group.now_ns)
            say({"heard": number + 1})
            later_ns = self.groups[number + 1].now_ns if number + 1 < len(self.groups) else group.now_ns
            for act in self.chance.choices(("settle", "save", "seal", "tend", ""), (3, 2, 1, 1, 3), k=2):
                self.tend(act, self.chance.randint(group.now_ns, later_ns))

    def tend(self, act: str, now_ns: int) -> None:
        """Do a piece of upkeep."""
        if act == "settle":
            self.walk.settle(now_ns)
        elif act == "save":
            self.walk.save()
        elif act == "seal":
            self.walk.archive.segments.seal()
        elif act == "tend":
            self.walk.archive.tend()

    def look(self, say: Say) -> None:
        """Go on after the kill, and say what is in the log, with the ids of all lines."""
        self.begin()
        told = self.walk.archive.events.read()
        assert told.damaged == 0
        ids = [event.id for event in told.events]
        assert len(set(ids)) == len(ids), "an id was used twice"
        assert all(ids), "an event has no id"
        say({"log": [[line.decode(), count] for line, count in said_by(told.events).items()]})

    def finish(self, done: int, say: Say) -> None:
        """Hear what is left, let everything fall silent, and say what is in the log."""
        self.live(done, lambda _: None)
        self.walk.settle(self.groups[-1].now_ns + 9 * SECOND)
        self.walk.archive.close()
        self.look(say)


def compare(lines: list[Any], expected: Sequence[Counter[bytes]], done: int, killed: str) -> None:
    """Check a log after a kill: all that was acknowledged is said, and nothing that never will be."""
    found = Counter({line.encode(): count for line, count in lines})
    before = expected[done - 1] if done else Counter[bytes]()
    assert not (lost := before - found), f"{killed}: {len(lost)} events are lost: {min(lost)!r}"
    assert not (odd := found - expected[-1]), f"{killed}: {len(odd)} events are new: {min(odd)!r}"


def killed_at_random(kills: int, seed: int, folder: Path, progress: Callable[[int], None]) -> int:
    """Kill walks at random instants; returns how many events were compared. Raises AssertionError."""
    chance, done, events, number = random.Random(seed), 0, 0, 0
    groups, expected = series(seed), never_killed(series(seed))
    for kill in range(kills):
        life = Life(folder, groups, random.Random(chance.randrange(1 << 30)))
        process, reading = forked(lambda say, life=life, done=done: life.live(done, say))
        heard, stop, said = done, done + chance.randrange(0, 9), b""
        while heard < stop and (more := os.read(reading, 1 << 16)):
            said += more
            heard = done + said.count(b"\n")
        time.sleep(chance.choice((0, 0.0005, 0.002, 0.005, 0.01, 0.02)))
        os.kill(process, signal.SIGKILL)
        done = max([done, *(line["heard"] for line in ended(process, reading, said))])
        lines = ended(*forked(life.look))[0]["log"]
        compare(lines, expected, done, f"kill {kill} of seed {seed}, series {number}")
        if done == len(groups):
            lines = ended(*forked(lambda say, life=life, done=done: life.finish(done, say)))[0]["log"]
            found = Counter({line.encode(): count for line, count in lines})
            assert found == expected[-1], f"series {number} of seed {seed} did not say the same"
            events += found.total()
            shutil.rmtree(folder)
            number, done = number + 1, 0
            groups = series(seed + number)
            expected = never_killed(groups)
        progress(kill + 1)
    return events


def dies_at(call: int) -> Callable[[], int]:
    """Make this process kill itself at a call that reaches the disk; returns how many there were."""
    count = 0

    def dying(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **words: Any) -> Any:
            nonlocal count
            if name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR):
                return real(*arguments, **words)
            count += 1
            if count == call:
                if name == "write":  # half of it arrives
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **words)

        return called

    for name in CALLS:
        setattr(os, name, dying(name, getattr(os, name)))
    return lambda: count


def killed_everywhere(
    seed: int, folder: Path, groups: int, every: int, progress: Callable[[int], None]
) -> tuple[int, int]:
    """Kill a walk at its first call that reaches the disk, its second, and so on to the last.

    Returns how many were killed, and how many events were compared; `every` leaves some calls out.
    """
    said, expected = series(seed, groups), never_killed(series(seed, groups))
    call, killed, events = 1, 0, 0
    while True:
        shutil.rmtree(folder, ignore_errors=True)

        def live(say: Say, call: int = call) -> None:
            dies_at(call)
            Life(folder, said, random.Random(seed)).live(0, say)
            say({"heard": 0, "whole": True})

        answers = ended(*forked(live))
        if any("whole" in line for line in answers):
            return killed, events
        life = Life(folder, said, random.Random(seed + call))
        done = max([0, *(line["heard"] for line in answers)])
        lines = ended(*forked(life.look))[0]["log"]
        compare(lines, expected, done, f"killed at call {call}")
        lines = ended(*forked(lambda say, life=life, done=done: life.finish(done, say)))[0]["log"]
        found = Counter({line.encode(): count for line, count in lines})
        assert found == expected[-1], f"killed at call {call}, it did not say the same"
        call, killed, events = call + every, killed + 1, events + found.total()
        progress(killed)


def run(kills: int, seed: int, folder: Path, progress: Callable[[int], None] = lambda _: None) -> str:
    """Kill in both ways; returns in words what came of it. Raises AssertionError."""
    events = killed_at_random(kills, seed, folder / "random", progress)
    short = 5 if kills < 100 else 16
    calls, more = killed_everywhere(
        seed + 6, folder / "calls", short, 7 if kills < 100 else 1, lambda n: progress(kills + n)
    )
    events += more
    return f"{kills:,} walks killed at random, {calls:,} at a call each: {events:,} events, all the same."


def main(arguments: list[str]) -> None:
    """Kill 300 walks at random, or as many as asked for, then one at each call, and say what came of it."""
    kills, seed = int(arguments[0]) if arguments else 300, int(arguments[1]) if arguments[1:] else 1

    def show(done: int) -> None:
        if sys.stderr.isatty() or done % 100 == 0:
            print(f"\r{done:,} killed", end="" if sys.stderr.isatty() else "\n", file=sys.stderr)

    with tempfile.TemporaryDirectory() as folder:
        print(run(kills, seed, Path(folder), show))


if __name__ == "__main__":
    main(sys.argv[1:])
