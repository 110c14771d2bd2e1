"""Checkpoints: a stream that is killed and goes on says exactly what an uninterrupted one says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep.segment import Segments
from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from bimetal.program.digest import digest
from bimetal.stream.checkpoint import (
    MAGIC,
    Checkpoint,
    from_bytes,
    load_checkpoint,
    save_checkpoint,
    to_bytes,
)
from bimetal.stream.late import Reorder, Waiting
from bimetal.stream.scorer import DeviceState, Scored
from tests.stream.given import PROGRAM, SECOND, SIGNALS, START, join, part, same, scorer, stream

PROGRAM_DIGEST = digest(PROGRAM)
STREAM = stream(180)
NOW = START + 10_000 * SECOND


def filled(sequence: int = 100) -> Checkpoint:
    states, _ = scorer().advance({}, part(STREAM, 0, sequence))
    waiting = Reorder(SIGNALS).push({}, part(STREAM, sequence, sequence + 9), NOW).waiting
    return Checkpoint(sequence, PROGRAM_DIGEST, states, waiting)


def test_a_checkpoint_comes_back_exactly(tmp_path: Path) -> None:
    given_checkpoint = filled()
    save_checkpoint(tmp_path / "c", given_checkpoint)
    back = load_checkpoint(tmp_path / "c", PROGRAM_DIGEST)
    assert (back.sequence, back.states) == (given_checkpoint.sequence, given_checkpoint.states)
    assert any(s.watch.alarm_since_ns for s in back.states.values())
    assert to_bytes(back) == to_bytes(given_checkpoint)
    assert all(len(w.time_ns) for w in back.waiting.values())


def test_an_erased_device_is_not_in_it() -> None:
    content = to_bytes(filled().without("b"))
    back = from_bytes(content, PROGRAM_DIGEST)
    assert set(back.states) == set(back.waiting) == {"a", "c"}


FILLED = to_bytes(filled())


@given(st.integers(0, 500), st.integers(0, 7))
def test_one_flipped_bit_is_refused(place: int, bit: int) -> None:
    content = bytearray(FILLED)
    content[place % len(content)] ^= 1 << bit
    with pytest.raises((BadInput, Unsupported)):
        from_bytes(bytes(content), PROGRAM_DIGEST)


@pytest.mark.parametrize("cut", [0, 3, 5, 36, 37, 100, -1])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "c").write_bytes(to_bytes(filled())[:cut])
    with pytest.raises(BadInput):
        load_checkpoint(tmp_path / "c", PROGRAM_DIGEST)


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(Unsupported, match="format 9"):
        from_bytes(MAGIC + b"\x09" + bytes(64), PROGRAM_DIGEST)


def test_another_programs_checkpoint_is_refused() -> None:
    with pytest.raises(BadInput, match="another program"):
        from_bytes(to_bytes(filled()), b"other")


def test_no_checkpoint_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_checkpoint(tmp_path / "c", PROGRAM_DIGEST)


class Line:
    """Rows go in one batch at a time: kept, put in order, scored; a checkpoint now and then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.segments = Segments(folder)
        self.reorder = Reorder(SIGNALS, period_ns=SECOND)
        self.states: dict[str, DeviceState] = {}
        self.waiting: dict[str, Waiting] = {}
        self.sequence = 0
        self.said: list[Scored] = []

    def take(self, batch: Batch) -> None:
        self.score(self.segments.append(batch), batch)

    def score(self, sequence: int, batch: Batch) -> None:
        done = self.reorder.push(self.waiting, batch, NOW)
        self.states, scored = scorer().advance(self.states, done.ready)
        self.waiting, self.sequence = done.waiting, sequence
        self.said.append(scored)

    def save(self) -> int:
        save_checkpoint(
            self.folder / "stream", Checkpoint(self.sequence, PROGRAM_DIGEST, self.states, self.waiting)
        )
        self.segments.pin(self.sequence)
        return len(self.said)

    def restart(self, said: list[Scored]) -> Line:
        self.segments.close()
        line = Line(self.folder)
        line.said = said
        try:
            saved = load_checkpoint(self.folder / "stream", PROGRAM_DIGEST)
            line.sequence, line.states, line.waiting = saved.sequence, dict(saved.states), dict(saved.waiting)
        except NotFound:
            line.segments.pin(0)
        for sequence, batch in line.segments.replay(line.sequence):
            line.score(sequence, batch)
        return line


@pytest.mark.parametrize("killed_at", [1, 7, 8, 20, 44])
@pytest.mark.parametrize("save_every", [5, 1000])
def test_a_killed_stream_goes_on_as_if_nothing_had_been(
    tmp_path: Path, killed_at: int, save_every: int
) -> None:
    batches = [part(STREAM, 4 * k, 4 * k + 4) for k in range(45)]
    batches[10], batches[11] = batches[11], batches[10]
    plain = Line(tmp_path / "plain")
    for batch in batches:
        plain.take(batch)
    line = Line(tmp_path / "killed")
    line.segments.pin(0)
    saved = 0
    for k, batch in enumerate(batches):
        if k == killed_at:
            line = line.restart(line.said[:saved])
        line.take(batch)
        if (k + 1) % save_every == 0:
            saved = line.save()
        if k % 6 == 5:
            line.segments.seal()
    assert same(join(line.said), join(plain.said))
    assert line.states == plain.states
    np.testing.assert_array_equal(line.waiting["a"].time_ns, plain.waiting["a"].time_ns)
