"""Stamps: what people write for an instant, against Python's own calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.wire.table.stamp import DAY_NS, days_of, read_counts, read_stamps

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FORMS = [
    ("%Y-%m-%d %H:%M:%S", "dmy"),
    ("%Y-%m-%dT%H:%M:%SZ", "dmy"),
    ("%Y/%m/%d %H:%M:%S", "mdy"),
    ("%d.%m.%Y %H:%M:%S", "dmy"),
    ("%d/%m/%Y %H:%M:%S", "dmy"),
    ("%m/%d/%Y %I:%M:%S %p", "mdy"),
    ("%d-%b-%Y %H:%M:%S", "dmy"),
    ("%b %d, %Y %H:%M:%S", "dmy"),
    ("%a %b %d %H:%M:%S %Y", "dmy"),
    ("%Y%m%d%H%M%S", "dmy"),
    ("%Y%m%dT%H%M%SZ", "dmy"),
    ("%d/%b/%Y:%H:%M:%S", "dmy"),
    ("%Y-%m-%d-%H.%M.%S", "dmy"),
    ("%d %B %Y %H:%M:%S", "dmy"),
    ("%y/%m/%d %H:%M:%S", "ymd"),
    ("%a, %d %b %Y %H:%M:%S GMT", "dmy"),
]


def cells(*texts: str) -> np.ndarray:
    return (
        np.array([t.encode() for t in texts], dtype=np.bytes_) if any(texts) else np.zeros(len(texts), "S1")
    )


def ns_of(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


@given(
    st.lists(st.datetimes(datetime(1970, 1, 1), datetime(2069, 12, 31)), min_size=1, max_size=20),
    st.sampled_from(FORMS),
)
def test_every_form_says_what_the_calendar_says(moments: list[datetime], form: tuple[str, str]) -> None:
    moments = [m.replace(microsecond=0) for m in moments]
    stamps = read_stamps(cells(*(m.strftime(form[0]) for m in moments)), form[1])
    assert stamps.ok.all()
    assert stamps.ns.tolist() == [ns_of(m.replace(tzinfo=UTC)) for m in moments]
    assert stamps.dated
    assert stamps.timed


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)
def test_offsets_and_fractions(moment: datetime, zone: timezone) -> None:
    moment = moment.replace(tzinfo=zone)
    stamps = read_stamps(cells(moment.isoformat(), moment.isoformat(" ").replace(".", ",")), "dmy")
    assert stamps.ok.all()
    assert stamps.zoned
    assert stamps.ns.tolist() == [ns_of(moment)] * 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "2020-02-30",
        "2020-13-01",
        "1900-02-29",
        "25:61",
        "2020-02-08 24:61:00",
        "32/01/2020",
        "12:3a",
        "99-Foo-2020",
        "2020-02-08 13:30:47 elephants",
        "0000-00-00 00:00:00",
        "13:00 PM",
        "20200231",
        "٢٠٢٠-٠١-٠١",
    ],
)
def test_what_is_no_instant(text: str) -> None:
    assert not read_stamps(cells(text, "x"), "dmy").ok.any()


def test_cells_of_many_forms_in_one_column() -> None:
    stamps = read_stamps(
        cells("1/2/2020 3:04", "11/12/2020 13:14", "bad", "1/2/2020 3:04:05", " 1/2/2020 "), "dmy"
    )
    assert stamps.ok.tolist() == [True, True, False, True, True]
    days = [np.datetime64(int(n), "ns").astype("datetime64[s]").item() for n in stamps.ns[stamps.ok]]
    assert days == [
        datetime(2020, 2, 1, 3, 4),
        datetime(2020, 12, 11, 13, 14),
        datetime(2020, 2, 1, 3, 4, 5),
        datetime(2020, 2, 1),
    ]


def test_a_time_of_day_counts_from_midnight() -> None:
    stamps = read_stamps(cells("18:00:00", " 19:30:05 ", "12:05 AM", "24:00"), "dmy")
    assert not stamps.dated
    assert [n // 10**9 for n in stamps.ns.tolist()] == [64800, 70205, 300, 86400]


def test_points_in_a_time_of_day() -> None:
    assert not read_stamps(cells("18.00.00"), "dmy").ok.any()
    assert read_stamps(cells("18.00.00"), "hms").ns.tolist() == [64800 * 10**9]


@given(st.dates())
def test_days_of_the_calendar(day: object) -> None:
    year, month, date = day.year, day.month, day.day  # type: ignore[attr-defined]
    found = days_of(np.array([year]), np.array([month]), np.array([date]))
    assert found.tolist() == [day.toordinal() - 719163]  # type: ignore[attr-defined]


@given(st.integers(0, 4 * 10**9), st.integers(0, 999_999))
def test_counts_keep_every_digit(seconds: int, micros: int) -> None:
    ns, ok = read_counts(cells(f"{seconds}.{micros:06d}", str(seconds)), 10**9, 0)
    assert ok.all()
    assert ns.tolist() == [seconds * 10**9 + micros * 1000, seconds * 10**9]


def test_counts_of_every_kind() -> None:
    ns, ok = read_counts(
        cells("1163438002000", "1.5e3", "-2", "abc", "99999999999999999999", "1,5"), 10**6, 0
    )
    assert ok.tolist() == [True, True, True, False, False, True]
    assert ns.tolist()[:3] == [1163438002000 * 10**6, 1500 * 10**6, -2 * 10**6]
    assert read_counts(cells("43831.5"), DAY_NS, -25569 * DAY_NS)[0].view("datetime64[ns]")[
        0
    ] == np.datetime64("2020-01-01T12:00")


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\0", b" ")), min_size=1, max_size=20))
def test_no_bytes_break_it(raw: list[bytes]) -> None:
    column = np.array(raw, dtype=np.bytes_) if any(raw) else np.zeros(len(raw), "S1")
    for order in ("dmy", "mdy", "ymd", "hms"):
        assert len(read_stamps(column, order).ns) == len(raw)
    assert len(read_counts(column, 10**9, 0)[0]) == len(raw)
