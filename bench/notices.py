"""What a word on one notice about a sensor changes about later ones. Run: python -m bench.notices.

Into healthy pumps (`bimetal sample`) one kind of sensor fault after the other is put, episode after episode,
as in bench.quality. The first episode that is told is labelled, on its device; counted are later episodes of
that signal and kind that are told, and after how many readings, and all other episodes, of every kind, before
and after.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from bench.feedback import taught
from bench.quality import LATE, Episode, Floats, injected
from bimetal.learn.feedback import Known, knowing
from bimetal.learn.label import Label, Verdict
from bimetal.learn.looking import Detector, Stretch
from bimetal.learn.notice import Ears
from bimetal.learn.train import Learned
from bimetal.nouns import Batch
from bimetal.nouns.event import Fault
from bimetal.packs.machine.simulator import simulate
from bimetal.targets.present import fastest

KINDS = (Fault.STUCK, Fault.MISSING, Fault.SPIKE, Fault.DROPOUT, Fault.OUT_OF_RANGE)
"""What is told of a sensor without a sibling; the simulated pumps have none."""
RATE_HZ, LEARN_S, SECONDS = 10.0, 200.0, 600.0
Episodes = Mapping[Fault, tuple[Floats, list[Episode]]]


def delays(
    model: Learned | Known, device: str, values: Floats, kind: Fault, episodes: Sequence[Episode]
) -> list[int]:
    """Return after how many readings episodes are told by their kind, those that are."""
    fault = ears(model, device, values).faults()
    parts = [fault[e.first : e.last + 1 + LATE, e.signal] == kind for e in episodes]
    return [int(part.argmax()) + 1 for part in parts if part.any()]


def ears(model: Learned | Known, device: str, values: Floats) -> Ears:
    """Return what is heard of readings (n, s) of a device."""
    names = [i.name for i in model.program.inputs]
    time_ns = (np.arange(len(values)) * 1e9 / RATE_HZ).astype(np.int64)
    return Ears(Detector(model.program, model.values, names, fastest()), Stretch(device, time_ns, values))


def labelled(learned: Learned, device: str, values: Floats, episode: Episode, verdict: Verdict) -> Known:
    """Return the model after a label on the notice of an episode."""
    heard, name = ears(learned, device, values), str(episode.signal)
    row = episode.first + int(np.flatnonzero(heard.faults()[episode.first :, episode.signal])[0])
    notice = heard.notice_at(episode.signal, int(heard.seen.time_ns[row]), name)
    mine = learned.values[device]
    limits = tuple(
        replace(x, was={device: float(mine[x.param][x.place])}) for x in heard.limits(notice, name, verdict)
    )
    label = Label(1, verdict, "", device, 0, 0, "", False, (), None, (name,), limits)
    return knowing(learned.program, learned.values, learned.card, [label])


@dataclass(slots=True)
class Counted:
    """Delays of later episodes of the labelled kind and signal, of how many, and other episodes told."""

    own: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    many: int = 0
    others: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, models: Sequence[Learned | Known], device: str, all_of: Episodes, mine: Meant) -> None:
        """Count on a device, by the model before and the one after."""
        later = [
            e for e in all_of[mine.kind][1] if e.signal == mine.first.signal and e.first > mine.first.first
        ]
        self.many += len(later)
        for k, model in enumerate(models):
            self.own[k].extend(delays(model, device, all_of[mine.kind][0], mine.kind, later))
            for kind, (values, episodes) in all_of.items():
                rest = [e for e in episodes if (kind, e.signal) != (mine.kind, mine.first.signal)]
                self.others[k] += len(delays(model, device, values, kind, rest))

    def words(self) -> str:
        """Say it in figures."""
        late = [f"{np.mean(x):.0f}" if x else "-" for x in self.own]
        return (
            f"its kind {len(self.own[0])} -> {len(self.own[1])} of {self.many}, told after "
            f"{late[0]} -> {late[1]} readings; others {self.others[0]} -> {self.others[1]}"
        )


@dataclass(frozen=True, slots=True)
class Meant:
    """What is labelled: an episode and its kind."""

    kind: Fault
    first: Episode


def lines(seed: int) -> Iterator[str]:
    """Yield a line for every kind and verdict, over all pumps."""
    batch, _ = simulate("healthy", 3, SECONDS, RATE_HZ, seed)
    early = batch.time_ns < LEARN_S * 1e9
    part = (batch.time_ns[early], batch.device[early], batch.values[early])
    learned = taught(Batch(batch.devices, batch.signals, *part), "1/week", 1 / RATE_HZ)
    cut = int(LEARN_S * RATE_HZ)
    pumps = {device: batch.values[batch.device == k] for k, device in enumerate(batch.devices)}
    all_of: dict[str, Episodes] = {
        device: {kind: injected(x[cut:], x[:cut], kind, seed + k, clear=True) for kind in KINDS}
        for k, (device, x) in enumerate(pumps.items())
    }
    for kind in KINDS:
        for verdict in Verdict:
            counted = Counted()
            for device in batch.devices:
                values, episodes = all_of[device][kind]
                first = next(e for e in episodes if delays(learned, device, values, kind, [e]))
                # What was seen until it had ended is all that somebody has.
                after = labelled(learned, device, values[: first.last + 64], first, verdict)
                counted.add((learned, after), device, all_of[device], Meant(kind, first))
            yield f"{kind.name.lower():14s}{verdict:14s}{counted.words()}"


def main() -> int:
    """Print a line for every kind and verdict."""
    for line in lines(5):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
