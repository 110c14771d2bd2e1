"""Topics: who asked for which, and what was left under them to be found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bimetal.wire.transports.mqtt.packet import Code, Filter, Publish

DEEPEST = 64
LONGEST_FILTER = 1_024


def filter_fault(pattern: str) -> Code | None:
    """Return why nobody can subscribe to this filter, None if anybody can (MQTT 5, 4.7.1)."""
    levels = pattern.split("/")
    if levels[0] == "$share":
        return Code.NO_SHARED_SUBSCRIPTIONS
    whole = all(level in ("+", "#") or not ("+" in level or "#" in level) for level in levels)
    too_much = len(levels) > DEEPEST or len(pattern) > LONGEST_FILTER
    if not whole or "#" in levels[:-1] or too_much:
        return Code.FILTER_NOT_VALID
    return None


class _Node:
    __slots__ = ("children", "holders")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.holders: dict[str, Filter] = {}


class SubscriptionTree:
    """Finds the clients that asked for a topic, in time bounded by its depth and its matches."""

    def __init__(self) -> None:
        self._root = _Node()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, client_id: str, wanted: Filter) -> bool:
        """Add or replace one client's filter; say whether it is new."""
        node = self._root
        for level in wanted.pattern.split("/"):
            node = node.children.setdefault(level, _Node())
        new = client_id not in node.holders
        node.holders[client_id] = wanted
        self._count += new
        return new

    def remove(self, client_id: str, pattern: str) -> bool:
        """Remove one client's filter and what only it needed; say whether it was there."""
        path = [self._root]
        levels = pattern.split("/")
        for level in levels:
            below = path[-1].children.get(level)
            if below is None:
                return False
            path.append(below)
        if path[-1].holders.pop(client_id, None) is None:
            return False
        self._count -= 1
        for parent, level in zip(reversed(path[:-1]), reversed(levels), strict=True):
            child = parent.children[level]
            if child.children or child.holders:
                break
            del parent.children[level]
        return True

    def match(self, topic: str) -> dict[str, Filter]:
        """Return one filter for every client that asked, the one with the highest quality of service."""
        found: dict[str, Filter] = {}
        if not self._count:
            return found
        levels = topic.split("/")
        front = [self._root]
        for depth, level in enumerate(levels):
            wild = depth > 0 or not level.startswith("$")
            if wild:
                _gather(found, front, "#")
            front = [below for node in front for below in _below(node, level, wild)]
            if not front:
                return found
        _gather(found, front, "#")
        for node in front:
            _take(found, node)
        return found


def _below(node: _Node, level: str, wild: bool) -> Iterator[_Node]:
    children = node.children
    # A topic's own level can be neither + nor #: no client may publish to such a name.
    if level in children:
        yield children[level]
    if wild and "+" in children:
        yield children["+"]


def _gather(found: dict[str, Filter], nodes: list[_Node], level: str) -> None:
    for node in nodes:
        if level in node.children:
            _take(found, node.children[level])


def _take(found: dict[str, Filter], node: _Node) -> None:
    for client_id, wanted in node.holders.items():
        held = found.get(client_id)
        if held is None:
            found[client_id] = wanted
        elif held.numbers or wanted.numbers or held.qos < wanted.qos:
            higher = held if held.qos >= wanted.qos else wanted
            found[client_id] = replace(higher, numbers=held.numbers + wanted.numbers)


class RetainedMessages:
    """The last message left under each topic, in memory, bounded in number and bytes."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: dict[str, tuple[Publish, int]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, publish: Publish, now_ns: int) -> bool:
        """Keep the message in place of an earlier one, or forget that if it is empty; False when full."""
        self._forget(publish.topic)
        if not publish.payload:
            return True
        size = len(publish.topic) + len(publish.payload)
        if len(self._kept) >= self._most or self._bytes + size > self._most_bytes:
            return False
        self._kept[publish.topic] = (publish, now_ns)
        self._bytes += size
        return True

    def matching(self, pattern: str, now_ns: int) -> Iterator[Publish]:
        """Yield what was left under the topics that match, with the time they have left to live."""
        tree = SubscriptionTree()
        tree.add("", Filter(pattern))
        for topic, (publish, kept_ns) in list(self._kept.items()):
            if not tree.match(topic):
                continue
            extras = publish.extras
            if extras is None or extras.expiry_s is None:
                yield publish
                continue
            left_s = extras.expiry_s - (now_ns - kept_ns) // 1_000_000_000
            if left_s <= 0:
                self._forget(topic)
            else:
                yield publish._replace(extras=extras._replace(expiry_s=left_s))

    def _forget(self, topic: str) -> None:
        earlier = self._kept.pop(topic, None)
        if earlier:
            self._bytes -= len(topic) + len(earlier[0].payload)
