"""Names that cannot be part of a subject, and fleets that cannot be, are refused in words."""

from __future__ import annotations

import pytest

from bimetal.cluster.name import Fleet, check_word
from bimetal.cluster.turn import _place_of
from bimetal.nouns.errors import BadInput


@pytest.mark.parametrize("word", ["", "a.b", "a b", "*", ">", "ä", "a" * 65, "$KV", "a/b", "a\n"])
def test_what_cannot_be_in_a_subject_is_refused(word: str) -> None:
    for make in (lambda: check_word(word, "model"), lambda: Fleet(word), lambda: Fleet().of(word)):
        with pytest.raises(BadInput, match="cannot be the name"):
            make()


@pytest.mark.parametrize("fleet", [{"shards": 0}, {"shards": 5000}, {"replicas": 2}, {"replicas": 0}])
def test_a_fleet_that_cannot_be_is_refused(fleet: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        Fleet(**fleet)


@pytest.mark.parametrize(
    ("metadata", "words"), [(None, "unknown number"), ({"bimetal-shards": "8"}, "8 shards")]
)
def test_a_log_with_other_shards_is_refused(metadata: dict[str, str] | None, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Fleet().check({"metadata": metadata})
    Fleet().check(Fleet().log_config())


def test_no_two_models_or_shards_share_a_subject() -> None:
    fleet = Fleet(shards=3)
    models = [fleet.of("a"), fleet.of("b")]
    subjects = [n.said_of(k) for n in models for k in range(3)] + [
        n.state_of(k) for n in models for k in range(3)
    ]
    subjects += [fleet.subject(k) for k in range(3)]
    assert len(set(subjects)) == len(subjects)


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.plant-in.model-3.1.120.45.1795679524496660717.2",
        "$JS.ACK._.hash.plant-in.model-3.1.120.45.1795679524496660717.2",
        "$JS.ACK.hub.hash.plant-in.model-3.1.120.45.1795679524496660717.2.token",
    ],
)
def test_where_a_message_stands_is_read_from_every_form_of_its_reply(reply: str) -> None:
    place = _place_of(reply)
    assert (place.sequence, place.delivery) == (120, 45)
