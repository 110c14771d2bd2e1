"""The event line: a stable schema, exact times, and every event comes back."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bimetal.keep.event_line import from_line, time_ns_of, time_text, to_line
from bimetal.nouns import Cause, Event, Kind, Reason
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Like, Unless
from tests.keep.given import START, event

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.floats(allow_infinity=False)
TIMES = st.integers(-62_135_596_800 * 10**9, 253_402_300_799 * 10**9)
REASONS = st.builds(Reason, TEXT, NUMBER, NUMBER, NUMBER, NUMBER, TEXT)
EVENTS = st.builds(
    Event,
    st.sampled_from(Kind),
    TEXT,
    TIMES,
    NUMBER,
    st.booleans(),
    st.sampled_from(Cause),
    st.lists(REASONS, max_size=3).map(tuple),
    TEXT,
    TIMES,
    unless=st.none()
    | st.builds(Unless, TEXT, st.floats(allow_nan=False, allow_infinity=False), st.booleans(), TEXT),
    like=st.none() | st.builds(Like, TEXT, TEXT, st.floats(0, 1), TEXT, TIMES),
)


@given(EVENTS)
@example(event(sentence="a\u2028b\u2029c\u0085d\r\n\x1c"))
def test_every_event_comes_back_on_one_line(said: Event) -> None:
    line = to_line(said)
    assert line.decode().splitlines() == [line.decode()]
    assert repr(from_line(line)) == repr(said)


def test_the_schema_is_what_is_documented() -> None:
    assert json.loads(to_line(event(time_ns=START + 250_000_000))) == {
        "time": "2023-11-14T22:13:20.25Z",
        "device": "pump",
        "kind": "alarm",
        "score": 2.5,
        "alarm": True,
        "cause": "process",
        "explanation": [
            {"signal": "temperature", "share": 0.7, "value": 61.5, "usual": [18.0, 24.0], "unit": "Cel"},
            {"signal": "pressure", "share": 0.2, "value": 3.0, "usual": [1.0, 2.0], "unit": ""},
        ],
        "sentence": "Hot.",
        "since": "2023-11-14T22:13:19.25Z",
        "id": "",
        "confidence": 1.0,
    }


def test_since_when_a_signal_has_been_unusual_is_kept_where_it_is_known() -> None:
    one, other = event().reasons
    said = replace(event(), reasons=(replace(one, since_ns=1_700_000_000_250_000_000), other))
    told = json.loads(to_line(said))["explanation"]
    assert told[0]["since"] == "2023-11-14T22:13:20.25Z"
    assert "since" not in told[1]
    assert from_line(to_line(said)) == said


def test_what_is_no_number_is_null() -> None:
    said = replace(event(), score=math.inf, reasons=(Reason("a", 0.5, math.nan, -math.inf, math.inf),))
    read = json.loads(to_line(said))
    assert (read["score"], read["explanation"][0]["value"], read["explanation"][0]["usual"]) == (
        None,
        None,
        [None] * 2,
    )
    assert math.isnan(from_line(to_line(said)).score)


def test_the_id_is_kept_and_a_line_without_one_is_read() -> None:
    said = replace(event(), id="12:0:plant:pump")
    assert from_line(to_line(said)).id == "12:0:plant:pump"
    older = to_line(event()).replace(b',"id":""', b"")
    assert b'"id"' not in older
    assert from_line(older).id == ""


def test_fields_of_a_later_bimetal_are_ignored() -> None:
    line = to_line(event())[:-1] + b',"colour":"red"}'
    assert from_line(line) == event()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff\xfe",
        to_line(event())[:-9],
        to_line(event()).replace(b"2.5", b'"x"'),
    ],
)
def test_a_line_that_holds_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(BadInput):
        from_line(line)


def test_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(BadInput, match="no Unicode"):
        to_line(event(sentence="\ud800"))


@given(TIMES)
def test_times_are_exact(time_ns: int) -> None:
    assert time_ns_of(time_text(time_ns)) == time_ns


@pytest.mark.parametrize("time_ns", [-(1 << 80), 1 << 80])
def test_a_time_off_the_calendar_is_refused(time_ns: int) -> None:
    with pytest.raises(BadInput, match="calendar"):
        time_text(time_ns)


@pytest.mark.parametrize(
    "text", ["", "2023-11-14", "2023-13-14T22:13:20Z", "2023-11-14T22:13:20", "x" * 1000]
)
def test_another_form_of_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="not a time like"):
        time_ns_of(text)
