"""Feedback: a labelled pattern no longer alarms, or alarms sooner, and everything else stays as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.learn.detector import Design, detector_program
from bimetal.learn.feedback import grafted, knowing, looked, names_of, needed_room, room_of
from bimetal.learn.label import Label, Looked, Pattern, Verdict, episode_of, patterns_of, rise_of
from bimetal.learn.sense import Values, run
from bimetal.learn.train import Learned
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program.canonical import decode, encode
from bimetal.program.layout import layout_of
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.present import fastest
from tests.learn.given import readings as healthy
from tests.learn.given import taught

NAMES = ("signal_1", "signal_2")
FIRST, AGAIN, OTHER = 600, 900, 1200
LASTS = 60


@pytest.fixture(scope="module")
def learned() -> Learned:
    """A detector of two signals that go together."""
    return taught(("another", healthy(3000)), ("third", healthy(3000, seed=1)))


def readings(excursions: dict[int, tuple[float, float]]) -> NDArray[np.float64]:
    """1400 healthy rows with excursions: at a row, by so much for each signal, for LASTS rows."""
    values = healthy(1400, seed=1)
    for row, by in excursions.items():
        values[row : row + LASTS] += by
    return values


SEEN = readings({FIRST: (3.0, 0.0), AGAIN: (3.0, 0.0), OTHER: (0.0, -6.0)})


def said(program: Program, values: Values, rows: NDArray[np.float64]) -> NDArray[np.void]:
    """What a program says of rows."""
    return np.concatenate(list(run(program, values, NAMES, rows, fastest())))


def label_of(learned: Learned, verdict: Verdict, at: int = FIRST, rows: NDArray[np.float64] = SEEN) -> Label:
    """Somebody's word on the alarm at a row."""
    known = knowing(learned.program, learned.values, learned.card, ())
    seen = looked(said(grafted(learned.program, 4).looking, known.values[""], rows))
    part = episode_of(seen.score, at + 5, 16)
    patterns = patterns_of(Looked(seen.score[: part.stop], seen.shape[: part.stop]), part, verdict)
    return Label(1, verdict, "flushing", "pump", 0, 0, "ann", True, patterns)


def alarms(out: NDArray[np.void], at: int) -> bool:
    """Whether there is an alarm at rows of an excursion."""
    return bool(out["alarm"][at : at + LASTS].any())


def test_without_labels_a_bank_changes_no_bit_of_what_is_said(learned: Learned) -> None:
    known = knowing(learned.program, learned.values, learned.card, ())
    before, after = (
        said(p, v[""], SEEN) for p, v in ((learned.program, learned.values), (known.program, known.values))
    )
    assert alarms(before, FIRST)
    for name in before.dtype.names or ():
        assert before[name].tobytes() == after[name].tobytes()


def test_a_pattern_called_no_fault_is_silent_when_it_recurs_and_others_are_not(learned: Learned) -> None:
    known = knowing(learned.program, learned.values, learned.card, [label_of(learned, Verdict.NOT_A_FAULT)])
    out = said(known.program, known.values[""], SEEN)
    assert [alarms(out, at) for at in (FIRST, AGAIN, OTHER)] == [False, False, True]
    assert out["score"][AGAIN : AGAIN + LASTS].max() < 1
    assert (out["pattern"][AGAIN + 20 : AGAIN + LASTS] >= 0).all()


def test_what_is_far_larger_than_what_was_called_no_fault_still_alarms(learned: Learned) -> None:
    known = knowing(learned.program, learned.values, learned.card, [label_of(learned, Verdict.NOT_A_FAULT)])
    assert alarms(said(known.program, known.values[""], readings({FIRST: (30.0, 0.0)})), FIRST)


def test_a_pattern_called_a_fault_alarms_sooner(learned: Learned) -> None:
    label = label_of(learned, Verdict.FAULT)
    assert max(p.gain for p in label.patterns) > 1
    known = knowing(learned.program, learned.values, learned.card, [label])
    slow = readings({})
    slow[AGAIN : AGAIN + 200, 0] += np.linspace(0, 2.0, 200)
    before, after = (
        said(p, v[""], slow)["alarm"] != 0
        for p, v in ((learned.program, learned.values), (known.program, known.values))
    )
    assert np.flatnonzero(after[AGAIN:])[0] < np.flatnonzero(before[AGAIN:])[0]
    assert after[:AGAIN].tolist() == before[:AGAIN].tolist()


def test_a_bank_gives_the_same_bits_on_another_target(learned: Learned) -> None:
    known = knowing(learned.program, learned.values, learned.card, [label_of(learned, Verdict.NOT_A_FAULT)])
    rows = SEEN[FIRST - 100 : FIRST + LASTS]
    law = np.concatenate(list(run(known.program, known.values[""], NAMES, rows, NumpyTarget())))
    assert (law["alike"] > 0.5).any()
    assert law.tobytes() == said(known.program, known.values[""], rows).tobytes()


def test_a_label_goes_for_its_own_device_or_for_all(learned: Learned) -> None:
    label = label_of(learned, Verdict.NOT_A_FAULT)
    alone = knowing(learned.program, learned.values, learned.card, [replace(label, everywhere=False)])
    assert alarms(said(alone.program, alone.values[""], SEEN), AGAIN)
    assert not alarms(said(alone.program, alone.values["pump"], SEEN), AGAIN)
    assert names_of([label], "another") == [label] * len(label.patterns)
    assert not names_of([replace(label, withdrawn_ns=1)], "pump")


def test_the_first_label_makes_another_program_and_the_next_one_does_not(learned: Learned) -> None:
    label = label_of(learned, Verdict.NOT_A_FAULT)
    first = knowing(learned.program, learned.values, learned.card, [label])
    second = knowing(first.program, first.values, first.card, [replace(label, withdrawn_ns=9)])
    assert (first.rebuilt, second.rebuilt) == (True, False)
    out = said(second.program, second.values[""], SEEN)
    assert out["score"].tobytes() == said(learned.program, learned.values[""], SEEN)["score"].tobytes()


def test_a_bank_that_is_full_is_built_larger_and_there_is_an_end_to_it(learned: Learned) -> None:
    label = label_of(learned, Verdict.NOT_A_FAULT)
    small = knowing(learned.program, learned.values, learned.card, [label])
    many = knowing(decode(encode(small.program)), small.values, small.card, [label] * 9)
    assert (room_of(small.program), many.rebuilt) == (4, True)
    assert room_of(many.program) >= 9 * len(label.patterns)
    assert not alarms(said(many.program, many.values[""], SEEN), AGAIN)
    with pytest.raises(BadInput, match="patterns are more than a model can know"):
        needed_room([label] * 200, ["pump"], 0)


@pytest.mark.parametrize("signals", [1, 3])
def test_a_bank_has_no_state_and_costs_little(signals: int) -> None:
    program, _ = detector_program(Design(signals), [f"x{k}" for k in range(signals)])
    made = grafted(decode(encode(program)), 4)
    assert layout_of(made.program).state == layout_of(program).state
    more = check(made.program).stages[0].operations / check(program).stages[0].operations
    assert 1 < more < 1.08


def test_a_model_that_is_no_detector_is_refused_in_words() -> None:
    draft = Draft("net")
    draft.output("score", draft.input("x"))
    with pytest.raises(Unsupported, match="bimetal train has made"):
        grafted(draft.finish(), 4)


def test_rows_of_an_alarm_are_those_between_which_the_score_comes_back() -> None:
    score = np.zeros(100, np.float32)
    score[[10, 20, 60, 61]] = 1.5
    assert episode_of(score, 18, 16) == slice(10, 21)
    assert episode_of(score, 66, 16) == slice(60, 62)
    with pytest.raises(BadInput, match="no alarm at that time"):
        episode_of(score, 40, 16)
    with pytest.raises(BadInput, match="no alarm at that time"):
        episode_of(np.zeros(0, np.float32), 0, 16)


def test_a_fault_that_raised_no_alarm_is_found_where_it_shows_most() -> None:
    score = np.full(100, 0.1, np.float32)
    score[40:50] = 0.6
    assert rise_of(score, 46, 16) == slice(40, 50)
    with pytest.raises(BadInput, match="look so usual"):
        rise_of(score, 90, 16)


def test_a_pattern_is_the_middle_of_rows_that_are_alike() -> None:
    shape = np.zeros((8, 4, 1), np.float32)
    shape[:4, 0], shape[4:, 1] = 0.9, 0.9
    seen = Looked(np.full(8, 1.2, np.float32), shape)
    up, down = patterns_of(seen, slice(0, 8), Verdict.NOT_A_FAULT)
    assert (up.shape, down.shape) == ((0.9, 0.0, 0.0, 0.0), (0.0, 0.9, 0.0, 0.0))
    assert (up.gain, up.most) == (0.0, pytest.approx(1.45))


def test_a_fault_counts_no_more_than_other_rows_allow() -> None:
    shape = np.full((20, 4, 1), 0.25, np.float32)
    score = np.full(20, 0.8, np.float32)
    score[10:] = 1.2
    held = patterns_of(Looked(score, shape), slice(10, 20), Verdict.FAULT)
    free = patterns_of(Looked(score[10:], shape[10:]), slice(0, 10), Verdict.FAULT)
    assert held[0].gain == pytest.approx(1.125)
    assert free[0].gain == 1.5
    assert isinstance(free[0], Pattern)
