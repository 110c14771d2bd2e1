"""Torture: a process that keeps, seals, joins and erases is killed at random; nothing acknowledged is lost.

Run: python -m tests.keep.torture [RUNS [SEED [CATALOG SEGMENTS]]], or make torture ARGS=1000. With a new
database and an empty bucket, what is kept is kept there.

Each life is a process of its own, forked from one that never touches a store; so is each that looks
at what a killed one left, first as a reader beside nobody and then as the next writer.
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
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.place import place_of, settle, store_of
from bimetal.keep.quarantine import Refused
from bimetal.keep.rows import Rows, join, rows_of, tidy
from bimetal.keep.snapshot import look
from bimetal.nouns import Batch, Quality, Signal
from bimetal.nouns.errors import NotFound
from tests.keep.given import SECOND, START, event, texts_of

ROWS = 10
FRESH_EVERY = 25
"""After so many kills the folder is begun anew, so that looking at all of it stays quick."""


@dataclass(slots=True)
class Ledger:
    """What was acknowledged: batches, events and messages by device, and devices erased.

    `doing` was begun and not acknowledged; `opened` is whether the folder ever was.
    """

    kept: dict[str, set[int]] = field(default_factory=dict[str, set[int]])
    told: dict[str, int] = field(default_factory=dict[str, int])
    erased: set[str] = field(default_factory=set[str])
    doing: tuple[str, str, int] | None = None
    opened: bool = False

    def take(self, act: str, device: str, number: int) -> None:
        """Note an act that was acknowledged."""
        if act == "open":
            self.opened = True
        elif act == "keep":
            self.kept.setdefault(device, set()).add(number)
        elif act == "tell":
            self.told[device] = self.told.get(device, 0) + 1
        elif act == "erase":
            self.kept.pop(device, None)
            self.told.pop(device, None)
            self.erased.add(device)

    def settle(self, found: dict[str, list[int]], gone: list[str]) -> None:
        """Note how what was being done ended, by what was found."""
        act, device, number = self.doing or ("", "", 0)
        if (act == "erase" and device in gone) or (act == "keep" and number in found.get(device, ())):
            self.take(act, device, number)
        self.opened, self.doing = True, None


def name(number: int) -> str:
    """A device's name, found in no other text."""
    return f"device-{number:05d}-mark"


def batch_of(device: str, number: int) -> Batch:
    """The batch of a device with this number, always the same."""
    times = START + (ROWS * number + np.arange(ROWS, dtype=np.int64)) * SECOND
    values = np.stack([times % 977 + number, times % 499 - int(device[7:12])], axis=1).astype(np.float64)
    return Batch((device,), (Signal("a"), Signal("b")), times, np.zeros(ROWS, np.int32), values)


Say = Callable[[object], None]
Life = Callable[[Path, int, Ledger, Say], None]


def live(folder: Path, seed: int, ledger: Ledger, say: Say) -> None:
    """Open the folder and do one thing after the other, saying so before and after, until killed."""
    chance = random.Random(seed)
    archive = Archive(folder)
    say(("done", "open", "", 0))
    known = sorted({*ledger.kept, *ledger.told} - ledger.erased)
    first = 1 + max((int(n[7:12]) for n in {*known, *ledger.erased}), default=-1)
    known += [name(first + k) for k in range(4 - len(known))]
    fresh = first + 4
    acts = ["keep"] * 10 + ["again"] * 2 + ["tell", "seal", "seal", "seal", "tend", "tend", "erase"]
    while True:
        act, device = chance.choice(acts), chance.choice(known)
        batches = ledger.kept.get(device, set())
        number = max(batches, default=-1) + 1
        if act == "again" and batches:
            act, number = "keep", chance.choice(sorted(batches))
        elif act == "again":
            act = "keep"
        say(("begun", act, device, number))
        if act == "keep":
            archive.segments.append(batch_of(device, number))
        elif act == "tell":
            archive.events.append([event(device)])
            archive.quarantine.append([Refused(START, f"readings/{device}", "c", "no JSON", b"{")])
        elif act == "seal":
            archive.segments.seal()
        elif act == "tend":
            archive.segments.tend()
        else:
            archive.erase(device)
            known[known.index(device)] = name(fresh)
            fresh += 1
        ledger.take(act, device, number)
        say(("done", act, device, number))


def objects(folder: Path) -> list[bytes]:
    """The content of every segment that is not in the folder."""
    place = place_of(folder)
    store = store_of(place)
    return [store.open(name).read(0, 1 << 30) for name in store.names()] if place.elsewhere else []


def examine(folder: Path, ledger: Ledger) -> tuple[dict[str, list[int]], list[str]]:
    """Look at what a killed process left, as a reader and as the next writer; raises AssertionError.

    Returns the batches that are there, by device, and the devices that are gone.
    """
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    if not ledger.opened:
        with suppress(NotFound), look(folder, Asked()):
            pass
    else:
        with look(folder, Asked()) as seen:
            sealed = join([file.rows(held) for file, held in seen.opened.parts])
            assert len(tidy(sealed)) == len(sealed), "a reading lies in two segments"
            compare(tidy(join([sealed, seen.waiting])), ledger, set(seen.erasing))
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before, "a reader wrote"
    archive = Archive(folder)
    assert archive.segments.recovery.damaged == ()
    found = compare(tidy(rows_of([(archive.segments.batch(), Quality.GOOD)])), ledger, set())
    topics = [m.refused.topic for m in archive.quarantine.read().messages]
    act, doing, _ = ledger.doing or ("", "", 0)
    gone = set(ledger.erased)
    if act == "erase":
        told = f"readings/{doing}" in topics or archive.events.read(device=doing).events
        if doing in found or told:
            assert ledger.kept.get(doing, set()) <= set(found.get(doing, ())), f"{doing} is half erased"
        else:
            gone.add(doing)
    for device, count in ledger.told.items():
        if device not in gone:
            assert len(archive.events.read(device=device).events) >= count, f"an event of {device} is lost"
            assert topics.count(f"readings/{device}") >= count, f"a message of {device} is lost"
    archive.close()
    texts = b"".join(text for p in folder.rglob("*") if p.is_file() for text in texts_of(p))
    texts += b"".join(objects(folder))
    for device in gone:
        assert device.encode() not in texts, f"{device} was erased and is still there"
    return found, sorted(gone)


def compare(rows: Rows, ledger: Ledger, hidden: set[str]) -> dict[str, list[int]]:
    """Check that all that was acknowledged is there, whole, and nothing else but what was being done."""
    found: dict[str, set[int]] = {}
    for (device, column), at in rows.stretches():
        numbers, counts = np.unique((rows.time_ns[at] - START) // (ROWS * SECOND), return_counts=True)
        assert (counts == ROWS).all(), f"a batch of {device} is torn"
        column_of = [batch_of(device, n).values[:, "ab".index(column)] for n in numbers.tolist()]
        expected = np.concatenate(column_of)
        assert (rows.value[at] == expected).all(), f"a value of {device} is wrong"
        assert found.setdefault(device, set(numbers.tolist())) == set(numbers.tolist()), f"{device} is torn"
    act, doing, number = ledger.doing or ("", "", 0)
    for device in {*ledger.kept, *found} - hidden:
        kept, there = ledger.kept.get(device, set()), found.get(device, set())
        if act == "erase" and device == doing and not there:
            continue
        lost, odd = kept - there, there - kept - ({number} if act == "keep" and device == doing else set())
        assert not lost, f"{device}: batches {sorted(lost)} were acknowledged and are lost"
        assert not odd, f"{device}: batches {sorted(odd)} were never sent"
    return {device: sorted(numbers) for device, numbers in found.items()}


def forked(act: Callable[[Callable[[object], None]], None]) -> tuple[int, int]:
    """Run something in a process of its own, which may say things; returns its id and where to read them."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    os.close(reading)
    status = 1
    try:
        act(lambda said: os.write(writing, f"{json.dumps(said)}\n".encode()) and None)
        status = 0
    except BaseException:
        with suppress(OSError):
            os.write(writing, f"{json.dumps({'failed': traceback.format_exc()})}\n".encode())
    finally:
        os._exit(status)


def ended(process: int, reading: int, said: bytes = b"") -> list[Any]:
    """Wait for a process; returns all that it said, raises AssertionError when it failed by itself."""
    while more := os.read(reading, 1 << 16):
        said += more
    os.close(reading)
    os.waitpid(process, 0)
    lines = [json.loads(line) for line in said[: said.rfind(b"\n") + 1].splitlines()]
    for line in lines:
        assert "failed" not in line, line["failed"]
    return lines


def one_life(folder: Path, ledger: Ledger, chance: random.Random, life: Life) -> None:
    """Let a process live for some acts, kill it, and note what it had acknowledged."""
    seed, lines, said = chance.randrange(1 << 30), chance.randrange(1, 60), b""
    process, reading = forked(lambda say: life(folder, seed, ledger, say))
    while said.count(b"\n") < lines and (more := os.read(reading, 1 << 16)):
        said += more
    time.sleep(chance.choice((0, 0, 0.001, 0.005, 0.02)))
    os.kill(process, signal.SIGKILL)
    ledger.doing = None
    for state, act, device, number in ended(process, reading, said):
        ledger.doing = (act, device, number) if state == "begun" else None
        if state == "done":
            ledger.take(act, device, number)


def run(
    runs: int,
    seed: int,
    folder: Path,
    progress: Callable[[int], None] = lambda _: None,
    life: Life = live,
    elsewhere: tuple[str, str] = ("", ""),
) -> int:
    """Kill so many processes, one after the other; returns how many batches were acknowledged in all.

    Raises AssertionError when one of them is lost, torn or doubled, or an erased device is still there.
    """
    chance = random.Random(seed)
    ledger, total = Ledger(), 0
    for number in range(runs):
        if number == 0 or (number % FRESH_EVERY == 0 and not any(elsewhere)):
            total += sum(map(len, ledger.kept.values()))
            ledger = Ledger()
            shutil.rmtree(folder, ignore_errors=True)
            settle(folder, *elsewhere)
        one_life(folder, ledger, chance, life)
        left = ledger
        try:
            ((found, gone),) = ended(*forked(lambda say, left=left: say(examine(folder, left))))
        except AssertionError as error:
            raise AssertionError(f"run {number} of seed {seed}, after {ledger.doing}: {error}") from None
        ledger.settle(found, gone)
        progress(number + 1)
    return total + sum(map(len, ledger.kept.values()))


def main(arguments: list[str]) -> None:
    """Kill 1,000 processes, or as many as are asked for, and say that nothing was lost."""
    runs, seed = int(arguments[0]) if arguments else 1000, int(arguments[1]) if arguments[1:] else 1

    def show(done: int) -> None:
        if sys.stderr.isatty() or done % 100 == 0:
            print(f"\r{done:,} of {runs:,} killed", end="" if sys.stderr.isatty() else "\n", file=sys.stderr)

    with tempfile.TemporaryDirectory() as folder:
        elsewhere = (arguments[2], arguments[3]) if arguments[3:] else ("", "")
        batches = run(runs, seed, Path(folder) / "kept", show, elsewhere=elsewhere)
    print(f"{runs:,} processes killed, seed {seed}: {batches:,} acknowledged batches, 0 lost.")


if __name__ == "__main__":
    main(sys.argv[1:])
