"""What is sensed is what the program senses, in bounded parts, whatever the target."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn import sense as room
from bimetal.learn.detector import Design, input_names, sensing_program
from bimetal.learn.sense import run, sense
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.present import fastest
from tests.learn.given import readings

NAMES = input_names(["a", "b"])


def test_targets_agree_and_warm_up_is_left_out() -> None:
    design = Design(2)
    rows = readings(200)
    fast, law = (sense(design, NAMES, [({}, rows)], t)[0] for t in (fastest(), NumpyTarget()))
    assert fast.features.tobytes() == law.features.tobytes()
    assert fast.bands.tobytes() == law.bands.tobytes()
    assert fast.features.shape == (200 - design.warm_up, 2, design.own_features)


def test_stretches_stay_apart() -> None:
    one, other = readings(150, 1), readings(120, 2)
    both = sense(Design(2), NAMES, [({}, one), ({}, other)], fastest())
    alone = sense(Design(2), NAMES, [({}, other)], fastest())
    assert both[1].features.tobytes() == alone[0].features.tobytes()


def test_of_a_long_history_every_so_many_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = readings(3000)
    whole = sense(Design(2), NAMES, [({}, rows)], fastest())[0]
    monkeypatch.setattr(room, "MOST_ROWS", 1000)
    part = sense(Design(2), NAMES, [({}, rows)], fastest())[0]
    assert len(part.features) < 1001
    assert part.features.tobytes() == np.ascontiguousarray(whole.features[::3]).tobytes()


def test_parts_of_any_size_are_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    program, draft = sensing_program(Design(2), NAMES)
    rows = readings(500)
    whole = np.concatenate(list(run(program, draft.values, NAMES, rows, fastest())))
    monkeypatch.setattr(room, "CHUNK_BYTES", 1)
    parts = list(run(program, draft.values, NAMES, rows, fastest()))
    assert len(parts) > 5
    assert np.concatenate(parts).tobytes() == whole.tobytes()
