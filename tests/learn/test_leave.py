"""What was a fault is left out: whose rows, and which; and a time without readings is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bimetal.learn.leave import Leaving, Span
from bimetal.nouns.errors import BadInput
from tests.learn.given import batch_of

MINUTE_NS = 60 * 10**9
ONE = batch_of(np.zeros((6, 1)), "a")
BOTH = replace(ONE, devices=("a", "b"), device=np.array([0, 1, 0, 1, 1, 0], np.int32))


def test_first_and_last_are_of_it_and_other_devices_are_not() -> None:
    assert Span(MINUTE_NS, 3 * MINUTE_NS).rows(BOTH).tolist() == [0, 1, 1, 1, 0, 0]
    assert Span(MINUTE_NS, 3 * MINUTE_NS, "b").rows(BOTH).tolist() == [0, 1, 0, 1, 0, 0]
    assert not Span(MINUTE_NS, 3 * MINUTE_NS, "c").rows(BOTH).any()


def test_labels_and_spans_add_up() -> None:
    leaving = Leaving([Span(0, 0), Span(MINUTE_NS, MINUTE_NS, "b")])
    labels = np.arange(6) == 5
    bad = leaving.bad(BOTH, labels)
    assert bad is not None
    assert bad.tolist() == [1, 1, 0, 0, 0, 1]
    leaving.check()
    assert Leaving([]).bad(BOTH, None) is None


def test_a_time_without_readings_is_refused_with_whose_it_should_be() -> None:
    leaving = Leaving([Span(0, 0), Span(0, 0, "c")])
    leaving.bad(BOTH, None)
    with pytest.raises(BadInput, match=r"no readings of 'c' from 1970-01-01T00:00:00\.000 to"):
        leaving.check()
