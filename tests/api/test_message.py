"""The JSON the door speaks, the same over REST and WebSocket."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from bimetal.api import BudgetRow, ModelView, Parity, UsualRange, message
from bimetal.nouns.errors import BadInput, BadProgram, Broken, NotAllowed, NotFound, Unsupported
from bimetal.nouns.event import Kind, Like, Unless
from bimetal.stream.headroom import headroom
from bimetal.stream.outlook import Asked
from tests.api.plant import BEGIN, event, rows, small
from tests.stream.spells import NOW, history

CARD = ModelView(
    "pumps",
    "abc",
    "a minute",
    (BudgetRow("flash", 3, 2, "B"),),
    Parity(("numpy",), 8, True),
    (UsualRange("pump-1", "flow", float("-inf"), 2.0),),
    1 / 7,
)


def said(body: message.Json) -> message.Json:
    return json.loads(message.as_bytes(body))


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (BEGIN + 1_999, "2023-11-14T22:13:20.000001Z"),
        (np.iinfo(np.int64).min, "1677-09-21T00:12:43.145224Z"),
        (np.iinfo(np.int64).max, "2262-04-11T23:47:16.854775Z"),
        (None, None),
    ],
)
def test_times_are_iso_in_utc(time_ns: int | None, text: str | None) -> None:
    assert message.instant(time_ns) == text


def test_what_is_no_number_is_null() -> None:
    live = small()
    live.set_model(CARD)
    told = said({"m": message.model(live), "c": message.counters(live)})
    assert told["m"]["usual"][0]["low"] is None
    assert told["m"]["budget"][0]["fits"] is False
    live.set_model(ModelView("m", "", ""))
    assert said(message.counters(live))["false_alarms_promised"] is None


def test_an_alarm_says_how_sure_unless_what_and_like_which() -> None:
    live = small()
    live.add_event(event())
    (plain,) = said(message.hello(live))["events"]
    assert (plain["confidence"], plain["unless"], plain["like"]) == (1.0, None, None)
    known = replace(
        event(at=11),
        confidence=0.4,
        unless=Unless("pressure", float("inf"), True, "bar"),
        like=Like("valve stuck", "a fault", 0.9, "pump-2", BEGIN),
    )
    live.add_event(known)
    (told,) = said(message.hello(live))["events"]
    assert told["confidence"] == 0.4
    assert told["unless"] == {"signal": "pressure", "limit": None, "below": True, "unit": "bar"}
    assert told["like"] == {
        "name": "valve stuck",
        "verdict": "a fault",
        "alike": 0.9,
        "device": "pump-2",
        "time": "2023-11-14T22:13:20.000000Z",
    }


def test_headroom_is_news_once_and_what_is_endless_is_null() -> None:
    live = small()
    assert said(message.hello(live))["headroom"] is None
    before = live.revision
    live.set_headroom(headroom(history(lambda _: 50.0, reading_us=0.0, idle=0.0), Asked(NOW)))
    (told,) = [m for m in message.news(live, before) if m["type"] == "headroom"]
    assert said(told)["headroom"]["capacity"] is None
    assert not [m for m in message.news(live, live.revision) if m["type"] == "headroom"]


def test_hello_says_everything_but_readings() -> None:
    live = small()
    live.add_event(event())
    told = said(message.hello(live))
    assert told["type"] == "hello"
    assert [d["id"] for d in told["plant"]["devices"]] == ["pump-1", "pump-2"]
    assert told["plant"]["signals"][0] == {"name": "pressure", "unit": "bar", "quantity": "", "period_s": 1.0}
    assert told["plant"]["stage"]["stage"] == "listening"
    assert told["model"] is None
    assert len(told["events"]) == 1


def test_an_alarm_is_said_with_its_reasons() -> None:
    live = small()
    live.add_event(event())
    (told,) = said({"events": [message.event(a) for a in live.alarms]})["events"]
    assert told["cause"] == "process"
    assert told["life"] == "open"
    assert told["acknowledged"] is False
    assert told["since"] == "2023-11-14T22:13:25.000000Z"
    assert told["closed"] is None
    assert told["explanation"][0] == {
        "signal": "pressure", "share": 0.7, "value": 4.2, "low": 2.9, "high": 3.5, "unit": "bar",
        "since": None,
    }  # fmt: skip
    assert told["explanation"][1]["value"] is None


def test_how_a_machine_is() -> None:
    live = small()
    assert message.device(live, "pump-1")["status"] == "waiting"
    live.add_batch(rows([0], 1.0))
    live.set_stage("learning", 0.5)
    assert message.device(live, "pump-1")["status"] == "learning"
    live.add_event(event())
    assert message.device(live, "pump-1")["status"] == "alarm"
    live.add_event(event(Kind.CLEARED))
    live.add_event(event(Kind.QUALITY))
    assert message.device(live, "pump-1")["status"] == "notice"


def test_news_are_what_changed_since() -> None:
    live = small()
    then = live.revision
    assert message.news(live, then) == []
    live.set_stage("learning", 0.1)
    live.set_model(CARD)
    live.add_event(event())
    assert [m["type"] for m in message.news(live, then)] == ["stage", "model", "event"]
    then = live.revision
    live.acknowledge(1)
    assert [m["event"]["life"] for m in message.news(live, then)] == ["seen"]
    live.set_plant("Other", [], [])
    assert [m["type"] for m in message.news(live, then)] == ["hello"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (BadInput("no", hint="Try."), 400, "bad_input"),
        (NotFound("no", hint="Try."), 404, "not_found"),
        (NotAllowed("no", hint="Try."), 403, "not_allowed"),
        (Unsupported("no", hint="Try."), 501, "unsupported"),
        (BadProgram("no", hint="Try."), 500, "failed"),
        (Broken("no", hint="Try."), 500, "failed"),
    ],
)
def test_an_error_has_a_code_a_sentence_and_a_fix(error: BadInput, status: int, code: str) -> None:
    assert message.refusal(error) == (status, {"error": {"code": code, "sentence": "no.", "fix": "Try."}})
