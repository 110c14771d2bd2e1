"""The REST door: what it answers, and how it refuses."""

from __future__ import annotations

import json
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request

from bimetal.api import Live, ModelView, create_app
from bimetal.api import rest as door
from bimetal.nouns.event import Kind
from bimetal.stream.headroom import headroom
from bimetal.stream.outlook import Asked
from tests.api.asgi import ask
from tests.api.plant import BEGIN, SECOND, SIGNALS, event, rows, small
from tests.stream.spells import NOW, history


@pytest.fixture
def live() -> Live:
    live = small()
    live.add_batch(rows(range(4), [[1, 2], [3, np.nan], [5, 6], [7, 8]]))
    live.add_event(event())
    return live


@pytest.fixture
def app(live: Live) -> Starlette:
    return create_app(live)


def test_the_plant_and_its_machines(app: Starlette) -> None:
    assert ask(app, "/api/v1/plant").json["title"] == "Pump house"
    first, second = ask(app, "/api/v1/devices").json["devices"]
    assert first["status"] == "alarm"
    assert first["open_events"] == [1]
    assert first["last_time"] == "2023-11-14T22:13:23.000000Z"
    assert second == {
        "id": "pump-2",
        "status": "waiting",
        "last_time": None,
        "score": None,
        "open_events": [],
    }


def test_readings_come_with_a_place_to_go_on(app: Starlette, live: Live) -> None:
    part = ask(app, "/api/v1/devices/pump-1/readings?limit=3").json
    assert part["time_ns"] == [BEGIN, BEGIN + SECOND, BEGIN + 2 * SECOND]
    assert part["values"] == [[1, 2], [3, None], [5, 6]]
    assert part["signals"] == [{"name": "pressure", "unit": "bar"}, {"name": "flow", "unit": "l/min"}]
    assert part["more"] is True
    rest = ask(app, f"/api/v1/devices/pump-1/readings?since={part['next']}").json
    assert (rest["values"], rest["more"]) == ([[7, 8]], False)
    none = ask(app, f"/api/v1/devices/pump-1/readings?since={rest['next']}").json
    assert (none["values"], none["next"]) == ([], rest["next"])
    live.add_batch(rows([9], 1.0))
    assert len(ask(app, f"/api/v1/devices/pump-1/readings?since={none['next']}").json["values"]) == 1


def test_since_may_be_a_time_in_words(app: Starlette) -> None:
    for text in ("2023-11-14T22:13:21Z", "2023-11-14T22:13:21", "2023-11-14T23:13:21.000%2B01:00"):
        assert len(ask(app, f"/api/v1/devices/pump-1/readings?since={text}").json["values"]) == 2


def test_headroom_is_null_till_somebody_looks(app: Starlette, live: Live) -> None:
    assert ask(app, "/api/v1/headroom").json == {"headroom": None}
    live.set_headroom(headroom(history(lambda d: 20_000 + 1000 * d, spells=240, seconds=3600), Asked(NOW)))
    told = ask(app, "/api/v1/headroom").json["headroom"]
    assert told["first"] in ("ingest", "scoring")
    assert told["limits"][0]["about"].startswith("2023-12")
    assert told["words"].startswith(("Taking readings in", "Scoring"))


def test_commits_are_counted_as_they_come(app: Starlette, live: Live) -> None:
    assert ask(app, "/api/v1/commits").json["commits"]["p50_ms"] is None
    live.commits.add([NOW - 4_000_000] * 99 + [NOW - 10**9], NOW)
    told = ask(app, "/api/v1/commits").json["commits"]
    assert told["messages"] == sum(told["count"]) == 100
    assert 4.0 <= told["p50_ms"] <= 4.4
    assert 4.0 <= told["p99_ms"] <= 4.4
    assert len(told["count"]) == len(told["up_to_ms"]) + 1


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=", "since=1e9", "since=--5", "since=" + "9" * 30, "since=" + "9" * 6000,
     "since=%00", "since=%E2%91%A0", "limit=0", "limit=-1", "limit=10001", "limit=x", "limit=%D9%A3",
     "limit=" + "1" * 500],
)  # fmt: skip
def test_bad_questions_are_refused_with_a_fix(app: Starlette, query: str) -> None:
    answer = ask(app, f"/api/v1/devices/pump-1/readings?{query}")
    assert answer.status == 400
    error = answer.json["error"]
    assert error["code"] == "bad_input"
    assert error["fix"].startswith("Use ")
    assert len(error["sentence"]) < 200


@pytest.mark.parametrize(
    "name", ["pump-9", "..", "%2e%2e", quote("пумп"), quote("a\x00b"), "x" * 5000, quote("💥")]
)
def test_unknown_machines_are_said_so(app: Starlette, name: str) -> None:
    answer = ask(app, f"/api/v1/devices/{name}/readings")
    assert answer.status == 404
    assert answer.json["error"]["code"] == "not_found"


def test_a_machine_may_have_a_name_of_many_scripts() -> None:
    live = Live()
    live.set_plant("p", ["Насос 1 💧"], SIGNALS)
    live.add_batch(rows([0], 1.0, "Насос 1 💧"))
    answer = ask(create_app(live), f"/api/v1/devices/{quote('Насос 1 💧')}/readings")
    assert answer.json["device"] == "Насос 1 💧"
    assert len(answer.json["values"]) == 1


def test_events_newest_first_and_by_their_life(app: Starlette, live: Live) -> None:
    live.add_event(event(device="pump-2", at=20, since=19))
    live.add_event(event(Kind.CLEARED, device="pump-2", at=30))
    assert [e["device"] for e in ask(app, "/api/v1/events").json["events"]] == ["pump-2", "pump-1"]
    assert [e["device"] for e in ask(app, "/api/v1/events?life=open").json["events"]] == ["pump-1"]
    assert ask(app, "/api/v1/events?life=eternal").json["error"]["fix"] == "Use one of open, seen, closed"


def test_acknowledging_marks_an_alarm_as_seen(app: Starlette) -> None:
    answer = ask(app, "/api/v1/events/1/acknowledge", "POST", origin="http://127.0.0.1:8765")
    assert (answer.status, answer.json["event"]["life"]) == (200, "seen")
    assert ask(app, "/api/v1/events?life=seen").json["events"][0]["acknowledged"] is True


@pytest.mark.parametrize("number", ["2", "x", "-1", "1.0", "%D9%A1", "1" * 5000, "%00"])
def test_acknowledging_what_is_not_there(app: Starlette, number: str) -> None:
    answer = ask(app, f"/api/v1/events/{number}/acknowledge", "POST")
    assert answer.status == 404
    assert answer.json["error"]["fix"] == "List them with GET /api/v1/events"


def test_looking_does_not_acknowledge(app: Starlette) -> None:
    answer = ask(app, "/api/v1/events/1/acknowledge")
    assert (answer.status, answer.json["error"]["code"]) == (400, "bad_input")
    assert len(ask(app, "/api/v1/events?life=open").json["events"]) == 1


def test_the_model_and_the_count(app: Starlette, live: Live) -> None:
    assert ask(app, "/api/v1/model").json["model"] is None
    live.set_model(ModelView("pumps", "abc", "a minute"))
    told = ask(app, "/api/v1/model").json
    assert told["model"]["name"] == "pumps"
    assert told["counters"]["readings"] == 7


def test_health_says_how_it_is(app: Starlette) -> None:
    told = ask(app, "/api/v1/health").json
    assert (told["status"], told["tabs"], told["readings"]) == ("ok", 0, 7)
    assert told["uptime_s"] >= 0


@pytest.mark.parametrize(
    "path", ["/api/v1/", "/api/v2/plant", "/nothing", "/api/v1/plant/", "//", "/assets/x/../../api"]
)
def test_nothing_is_said_as_json(app: Starlette, path: str) -> None:
    answer = ask(app, path)
    assert answer.status in (307, 404)
    if answer.status == 404:
        assert answer.json["error"]["code"] == "not_found"


def test_nobody_keeps_an_answer(app: Starlette) -> None:
    answer = ask(app, "/api/v1/plant")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"


def test_our_own_fault_shows_no_trace() -> None:
    import asyncio

    answer = asyncio.run(door.refuse(Request({"type": "http"}), ZeroDivisionError("secret")))
    assert answer.status_code == 500
    assert b"secret" not in bytes(answer.body)
    assert json.loads(bytes(answer.body))["error"]["fix"]


@given(st.text(max_size=40))
def test_no_text_as_since_breaks_it(text: str) -> None:
    answer = ask(create_app(small()), f"/api/v1/devices/pump-1/readings?since={quote(text)}")
    assert answer.status in (200, 400)
