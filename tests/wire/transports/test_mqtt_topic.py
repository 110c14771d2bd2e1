"""Who asked for a topic is found as the rule book says, and what is left there ends in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.wire.transports.mqtt.ledger import Ledger
from bimetal.wire.transports.mqtt.packet import Code, Extras, Filter, Publish
from bimetal.wire.transports.mqtt.topic import DEEPEST, RetainedMessages, SubscriptionTree, filter_fault

LEVELS = st.sampled_from(["", "a", "b", "$sys"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=4).map("/".join)
PATTERNS = st.tuples(
    st.lists(LEVELS | st.just("+"), min_size=1, max_size=4), st.sampled_from([[], ["#"]])
).map(lambda parts: "/".join([*parts[0], *parts[1]]))


def by_the_book(pattern: str, topic: str) -> bool:
    """MQTT 5, 4.7, level by level."""
    wanted, levels = pattern.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(wanted) == len(levels)


@given(st.lists(st.tuples(PATTERNS | st.just("#"), st.integers(0, 2)), max_size=8), TOPICS)
def test_the_tree_finds_what_the_book_says(wanted: list[tuple[str, int]], topic: str) -> None:
    tree = SubscriptionTree()
    for number, (pattern, qos) in enumerate(wanted):
        assert tree.add(f"c{number}", Filter(pattern, qos))
    expected = {f"c{n}" for n, (pattern, _) in enumerate(wanted) if by_the_book(pattern, topic)}
    assert set(tree.match(topic)) == expected
    for number, (pattern, _) in enumerate(wanted):
        assert tree.remove(f"c{number}", pattern)
        assert not tree.remove(f"c{number}", pattern)
    assert len(tree) == 0
    assert not tree._root.children


@pytest.mark.parametrize(
    ("pattern", "topic", "heard"),
    [
        ("sport/tennis/#", "sport/tennis", True),
        ("sport/tennis/+", "sport/tennis", False),
        ("+", "/finance", False),
        ("/+", "/finance", True),
        ("#", "$SYS/uptime", False),
        ("+/uptime", "$SYS/uptime", False),
        ("$SYS/#", "$SYS/uptime", True),
        ("a/+/#", "a/b", True),
        ("a//b", "a/b", False),
    ],
)
def test_the_examples_of_the_book(pattern: str, topic: str, heard: bool) -> None:
    tree = SubscriptionTree()
    tree.add("c", Filter(pattern))
    assert bool(tree.match(topic)) == heard


def test_a_client_with_several_filters_hears_once_at_the_highest_quality() -> None:
    tree = SubscriptionTree()
    tree.add("c", Filter("a/+", 1, numbers=(7,)))
    tree.add("c", Filter("a/#", 2))
    tree.add("c", Filter("#", 0, numbers=(9,)))
    [found] = tree.match("a/b").values()
    assert (found.qos, sorted(found.numbers)) == (2, [7, 9])
    assert not tree.add("c", Filter("#", 1))
    assert len(tree) == 3


def test_a_topic_of_sixty_thousand_levels_is_no_trouble() -> None:
    tree = SubscriptionTree()
    tree.add("c", Filter("/".join("+" * DEEPEST)))
    tree.add("d", Filter("#"))
    assert set(tree.match("/" * 60_000)) == {"d"}


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("a/b", None),
        ("#", None),
        ("+/+", None),
        ("/", None),
        ("a#", Code.FILTER_NOT_VALID),
        ("a/#/b", Code.FILTER_NOT_VALID),
        ("a/b+", Code.FILTER_NOT_VALID),
        ("/" * DEEPEST, Code.FILTER_NOT_VALID),
        ("x" * 1_025, Code.FILTER_NOT_VALID),
        ("$share/group/a", None),
        ("$share/group/#", None),
        ("$share/group/a/#/b", Code.FILTER_NOT_VALID),
        ("$share/group/", Code.FILTER_NOT_VALID),
        ("$share/group", Code.FILTER_NOT_VALID),
        ("$share//a", Code.FILTER_NOT_VALID),
        ("$share/gr+up/a", Code.FILTER_NOT_VALID),
        ("$shared/a", None),
    ],
)
def test_filters_are_judged(pattern: str, fault: Code | None) -> None:
    assert filter_fault(pattern) is fault


def test_retained_messages_are_bounded_in_number_and_bytes() -> None:
    kept = RetainedMessages(3, 100, Ledger(None))
    assert kept.keep(Publish("a", bytes(60)), 0)
    assert not kept.keep(Publish("b", bytes(60)), 0)
    assert kept.keep(Publish("a", bytes(20)), 0)
    assert kept.keep(Publish("b", bytes(60)), 0)
    assert kept.keep(Publish("c", b"x"), 0)
    assert not kept.keep(Publish("d", b"x"), 0)
    assert kept.keep(Publish("b", b""), 0)
    assert kept.keep(Publish("d", b"x"), 0)
    assert [publish.topic for publish in kept.matching("#", 0)] == ["a", "c", "d"]


def test_a_retained_message_says_how_long_it_still_lives_and_then_is_gone() -> None:
    kept = RetainedMessages(10, 1_000, Ledger(None))
    kept.keep(Publish("a", b"x", extras=Extras(expiry_s=60)), 0)
    kept.keep(Publish("b", b"y", extras=Extras(content_type="text")), 0)
    lives = {p.topic: p.extras.expiry_s for p in kept.matching("+", 45_900_000_000) if p.extras}
    assert lives == {"a": 15, "b": None}
    assert [p.topic for p in kept.matching("+", 60_000_000_000)] == ["b"]
    assert len(kept) == 1
