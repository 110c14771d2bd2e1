"""Feedback by REST: a verdict reaches whoever keeps the model, and nothing else does."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from bimetal.api import Live, create_app
from bimetal.api.feedback import Said
from bimetal.nouns.errors import BadInput
from tests.api.asgi import Answer, ask
from tests.api.plant import event, small


@pytest.fixture
def heard() -> list[Said]:
    """What reached the model."""
    return []


@pytest.fixture
def app(heard: list[Said]) -> Starlette:
    """A plant with one alarm, and a model that learns from everything but noise."""
    live: Live = small()
    live.add_event(event())

    def judge(said: Said) -> str:
        if said.name == "noise":
            raise BadInput("there was no alarm at that time")
        heard.append(said)
        return "Its like is silent."

    return create_app(live, judge=judge)


def say(app: Starlette, asked: str, number: str = "1", **headers: str) -> Answer:
    """Say something of an alarm."""
    return ask(app, f"/api/v1/events/{number}/feedback?{asked}", "POST", **headers)


def test_a_verdict_reaches_the_model_and_the_alarm_is_seen(app: Starlette, heard: list[Said]) -> None:
    answer = say(app, "verdict=not%20a%20fault&name=flushing&everywhere=yes")
    assert (answer.status, answer.json["words"], answer.json["event"]["life"]) == (
        200,
        "Its like is silent.",
        "seen",
    )
    (said,) = heard
    assert (said.verdict, said.name, said.everywhere) == ("not a fault", "flushing", True)
    assert said.event.device == "pump-1"


@pytest.mark.parametrize(
    ("asked", "number", "status"),
    [
        ("verdict=perhaps", "1", 400),
        ("", "1", 400),
        ("verdict=fault&name=" + "x" * 121, "1", 400),
        ("verdict=fault&name=a%0Ab", "1", 400),
        ("verdict=fault&name=noise", "1", 400),
        ("verdict=fault", "7", 404),
        ("verdict=fault", "%D9%A1", 404),
        ("verdict=fault", "9" * 5000, 404),
    ],
)
def test_what_is_no_verdict_changes_nothing(
    app: Starlette, heard: list[Said], asked: str, number: str, status: int
) -> None:
    assert say(app, asked, number).status == status
    assert not heard
    assert ask(app, "/api/v1/events?life=open").json["events"]


def test_another_site_s_page_may_not_judge(app: Starlette, heard: list[Said]) -> None:
    assert say(app, "verdict=fault", origin="http://elsewhere").status == 403
    assert not heard


def test_without_a_model_there_is_no_such_door() -> None:
    assert say(create_app(small()), "verdict=fault").status == 404
