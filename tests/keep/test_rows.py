"""Rows: batches as readings, one a row, and back again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep.asked import Asked
from bimetal.keep.batch_bytes import without
from bimetal.keep.rows import Rows, held_in, join, no_rows, pivot, rows_of, tidy, within
from bimetal.keep.rows import without as cleared
from bimetal.keep.rule import Rule, doomed, goes_by
from bimetal.nouns import Batch, Quality
from tests.keep.given import SECOND, SIGNALS, START, batch, batches, series


def read(rows: Rows) -> dict[tuple[str, str, int], float]:
    """The readings of rows, the last of each instant."""
    names = [rows.series[code] for code in rows.code.tolist()]
    return {(*n, t): v for n, t, v in zip(names, rows.time_ns.tolist(), rows.value.tolist(), strict=True)}


@given(batches())
def test_rows_lose_nothing_but_missing_values(given_batch: Batch) -> None:
    rows = tidy(rows_of([(given_batch, Quality.GOOD)]))
    assert len(rows) == given_batch.readings
    back = pivot(rows, SIGNALS)
    for device in back.devices:
        for signal in SIGNALS:
            assert series(back, device, signal.name) == series(given_batch, device, signal.name)


@given(st.lists(batches(), max_size=5), st.integers(0, 5))
def test_tidy_rows_are_in_order_and_the_last_to_arrive_stays(given_batches: list[Batch], cut: int) -> None:
    taken = [(b, Quality(k % 3)) for k, b in enumerate(given_batches)]
    arrived = rows_of(taken)
    split = join([rows_of(taken[:cut]), no_rows(), rows_of(taken[cut:])])
    assert read(split) == read(arrived)
    ordered = tidy(split)
    assert read(ordered) == read(arrived)
    keys = [(*ordered.series[c], t) for c, t in zip(ordered.code, ordered.time_ns, strict=True)]
    assert keys == sorted(set(keys))
    assert sum(h.rows for h in held_in(ordered)) == len(ordered)


@given(batches(), st.integers(-1, 40), st.integers(-1, 40))
def test_rows_within_are_those_asked_for(given_batch: Batch, since: int, until: int) -> None:
    rows = rows_of([(given_batch, Quality.GOOD)])
    asked = Asked(("a", "nobody"), (SIGNALS[0].name, SIGNALS[2].name), START + since, START + until)
    wanted = {
        key: v
        for key, v in read(rows).items()
        if key[0] == "a" and key[1] != SIGNALS[1].name and START + since <= key[2] < START + until
    }
    assert read(within(rows, asked)) == wanted


def test_of_equal_times_the_last_to_arrive_stays() -> None:
    first, second = batch(4), batch(4, seed=9)
    back = pivot(tidy(rows_of([(first, Quality.GOOD), (second, Quality.GOOD)])), second.signals)
    assert series(back, "fan", "pressure") == series(second, "fan", "pressure")


def test_rules_take_the_same_readings_from_every_form() -> None:
    whole = batch(40, devices=("a", "b", "c"))
    rules = [Rule(device="b"), Rule(signal="pressure", before_ns=START + 20 * SECOND)]
    rows = rows_of([(whole, Quality.GOOD)])
    left = rows.part(~doomed(rows, rules))
    slim = without(whole, rules)
    assert slim.devices == ("a", "c")
    assert len(left) == slim.readings
    assert read(cleared(tidy(rows), goes_by(rules))) == read(left)
    assert series(slim, "a", "pressure") == {
        t: v for t, v in series(whole, "a", "pressure").items() if t >= START + 20 * SECOND
    }


def test_no_rule_no_change() -> None:
    rows = rows_of([(batch(5), Quality.GOOD)])
    assert not doomed(rows, []).any()
    assert cleared(tidy(rows), goes_by([])).time_ns.tolist() == tidy(rows).time_ns.tolist()


def test_no_rows_are_no_trouble() -> None:
    assert len(tidy(no_rows())) == len(join([])) == len(rows_of([])) == 0
    assert held_in(no_rows()) == ()
    assert len(pivot(no_rows(), SIGNALS)) == 0
    assert not np.any(doomed(no_rows(), [Rule(device="a")]))
