"""Checkpoints: a stream that is killed and goes on says exactly what an uninterrupted one says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bimetal.keep.archive import Archive
from bimetal.keep.states import States, from_bytes, to_bytes
from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput
from bimetal.stream import resume
from bimetal.stream.checkpoint import Checkpoint, from_states, key_of, to_states
from bimetal.stream.late import Reorder
from bimetal.stream.scorer import Scored
from bimetal.stream.stream import Stream
from tests.stream.given import BLOCK, NAMES, PROGRAM, SECOND, SIGNALS, START, join, part, same, scorer, stream

KEY = key_of(PROGRAM, {"": BLOCK}, NAMES)
STREAM = stream(180)
NOW = START + 10_000 * SECOND


def filled(sequence: int = 100) -> Checkpoint:
    """A checkpoint with rows that wait and alarms under way."""
    states, _ = scorer().advance({}, part(STREAM, 0, sequence))
    waiting = Reorder(SIGNALS).push({}, part(STREAM, sequence, sequence + 9), NOW).waiting
    return Checkpoint(sequence, KEY, states, waiting)


def test_a_checkpoint_comes_back_exactly() -> None:
    given_checkpoint = filled()
    kept = to_bytes(to_states(given_checkpoint))
    back = from_states(from_bytes(kept), KEY)
    assert (back.sequence, back.states) == (given_checkpoint.sequence, given_checkpoint.states)
    assert any(s.watch.alarm_since_ns for s in back.states.values())
    assert to_bytes(to_states(back)) == kept
    assert all(len(w.time_ns) for w in back.waiting.values())


def test_a_device_that_only_waits_or_only_was_scored_comes_back_so() -> None:
    whole = filled()
    half = replace(whole, states={"a": whole.states["a"]}, waiting={"b": whole.waiting["b"]})
    back = from_states(to_states(half), KEY)
    assert set(back.states) == {"a"}
    assert set(back.waiting) == {"b"}


def test_an_erased_device_is_not_in_it() -> None:
    back = from_states(to_states(filled()).without("b"), KEY)
    assert set(back.states) == set(back.waiting) == {"a", "c"}


def test_another_models_states_are_refused() -> None:
    with pytest.raises(BadInput, match="another model"):
        from_states(to_states(filled()), b"other")


def test_the_key_tells_programs_parameters_and_signals_apart() -> None:
    keys = {
        KEY,
        key_of(PROGRAM, {"": BLOCK, "a": BLOCK}, NAMES),
        key_of(PROGRAM, {"": bytes(len(BLOCK))}, NAMES),
        key_of(PROGRAM, {"": BLOCK}, NAMES[::-1]),
    }
    assert len(keys) == 4
    assert key_of(PROGRAM, {"": BLOCK}, list(NAMES)) == KEY


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x90", b"\x9b" + b"\xc0" * 11])
def test_what_cannot_be_a_devices_state_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        from_states(States(1, KEY, {"a": content}), KEY)


class Line:
    """Rows go in one batch at a time: kept, put in order, scored; saved now and then."""

    def __init__(self, folder: Path, said: list[Scored]) -> None:
        self.archive = Archive(folder)
        self.stream = Stream("line", Reorder(SIGNALS, period_ns=SECOND), scorer(), key=KEY)
        self.said = said
        if resume.load(self.archive, self.stream):
            for arrived in self.archive.segments.replay(self.stream.sequence):
                self.said.append(self.stream.take(arrived).scored)
        else:
            resume.begin(self.archive, self.stream, 0, NOW)
            self.save()

    def take(self, batch: Batch) -> None:
        """Keep a batch and score it."""
        self.archive.segments.append(batch, arrived_ns=NOW)
        (arrived,) = self.archive.segments.replay(self.stream.sequence)
        self.said.append(self.stream.take(arrived).scored)

    def save(self) -> int:
        """Save; returns how much had been said by then."""
        resume.save(self.archive, {"line": self.stream.checkpoint()}, 0)
        return len(self.said)


@pytest.mark.parametrize("killed_at", [1, 7, 8, 20, 44])
@pytest.mark.parametrize("save_every", [5, 1000])
def test_a_killed_stream_goes_on_as_if_nothing_had_been(
    tmp_path: Path, killed_at: int, save_every: int
) -> None:
    batches = [part(STREAM, 4 * k, 4 * k + 4) for k in range(45)]
    batches[10], batches[11] = batches[11], batches[10]
    plain = Line(tmp_path / "plain", [])
    for batch in batches:
        plain.take(batch)
    line = Line(tmp_path / "killed", [])
    saved = 0
    for k, batch in enumerate(batches):
        if k == killed_at:
            line.archive.close()
            line = Line(tmp_path / "killed", line.said[:saved])
        line.take(batch)
        if (k + 1) % save_every == 0:
            saved = line.save()
        if k % 6 == 5:
            line.archive.segments.seal()
    assert same(join(line.said), join(plain.said))
    assert line.stream.states == plain.stream.states
    np.testing.assert_array_equal(line.stream.waiting["a"].time_ns, plain.stream.waiting["a"].time_ns)
    ids = [e.id for scored in line.said for e in scored.events]
    assert ids == [e.id for scored in plain.said for e in scored.events]
    assert len(set(ids)) == len(ids) > 10
