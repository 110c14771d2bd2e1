"""A card comes back as it was, and what is no card is refused in one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bimetal.learn.card import Card, card_of
from bimetal.nouns.errors import BadInput
from tests.learn.given import readings, taught


@pytest.fixture(scope="module")
def card() -> Card:
    return taught(("pump", readings(400))).card


def test_it_comes_back_from_json(card: Card) -> None:
    assert card_of(json.loads(json.dumps(card.plain()))) == card


def test_it_says_what_was_learned(card: Card) -> None:
    assert card.rows == 400
    assert card.devices == ("pump",)
    assert card.promise == "1/day"
    assert [s.name for s in card.signal_list()] == ["signal 1", "signal 2"]
    assert card.usual_of("pump")[0].low < card.usual_of("pump")[0].high
    assert card.usual_of("never met") == card.usual[""]
    assert card.limits


def spoiled(plain: dict[str, Any], **change: Any) -> dict[str, Any]:
    return {k: v for k, v in (plain | change).items() if v is not ...}


@pytest.mark.parametrize(
    "change",
    [
        {"usual": {}},
        {"usual": {"": []}},
        {"usual": {"": [{"location": "x"}]}},
        {"signals": "all of them"},
        {"rows": "many"},
        {"rows": None},
        {"threshold": [1.0]},
        {"devices": 7},
        {"usual": ...},
        {"signals": ...},
    ],
)
def test_a_hostile_card_is_refused(card: Card, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="card"):
        card_of(spoiled(card.plain(), **change))


@pytest.mark.parametrize("plain", [None, 1, "card", [], {}, {"usual": {"": []}}])
def test_what_is_no_card_is_refused(plain: object) -> None:
    with pytest.raises(BadInput, match="card"):
        card_of(plain)
