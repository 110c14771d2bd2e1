"""Topics: who asked for which, and what was left under them to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from bimetal.wire.transports.mqtt.ledger import Ledger
from bimetal.wire.transports.mqtt.packet import SHARE, Code, Filter, Publish, aged
from bimetal.wire.transports.mqtt.record import Retained, write_retained

DEEPEST = 64
LONGEST_FILTER = 1_024


def filter_fault(pattern: str) -> Code | None:
    """Return why nobody can subscribe to this filter, None if anybody can (MQTT 5, 4.7.1)."""
    group, shared = group_of(pattern)
    if group is not None and (not group or not shared or "+" in group or "#" in group):
        return Code.FILTER_NOT_VALID
    levels = shared.split("/")
    whole = all(level in ("+", "#") or not ("+" in level or "#" in level) for level in levels)
    too_much = len(levels) > DEEPEST or len(pattern) > LONGEST_FILTER
    if not whole or "#" in levels[:-1] or too_much:
        return Code.FILTER_NOT_VALID
    return None


def group_of(pattern: str) -> tuple[str | None, str]:
    """Return the group that shares a filter, None where nobody shares it, and the filter itself."""
    if not pattern.startswith(SHARE):
        return None, pattern
    group, _, shared = pattern[len(SHARE) :].partition("/")
    return group, shared


class Group:
    """Those who share a subscription: each message is for one of them, in turn."""

    def __init__(self) -> None:
        self._members: dict[str, Filter] = {}

    def __bool__(self) -> bool:
        return bool(self._members)

    def add(self, client_id: str, wanted: Filter) -> bool:
        """Add or replace a member; say whether it is new."""
        new = client_id not in self._members
        self._members[client_id] = wanted
        return new

    def remove(self, client_id: str) -> bool:
        """Remove a member; say whether there was one."""
        return self._members.pop(client_id, None) is not None

    def pick(self, is_here: Callable[[str], bool], *, may_wait: bool) -> tuple[str, Filter] | None:
        """Return the first who is here, or else, for what may wait, the first; its next turn comes last."""
        first = next(iter(self._members), None) if may_wait else None
        client_id = next(filter(is_here, self._members), first)
        if client_id is None:
            return None
        self._members[client_id] = wanted = self._members.pop(client_id)
        return client_id, wanted


class _Node:
    __slots__ = ("children", "groups", "holders")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.holders: dict[str, Filter] = {}
        self.groups: dict[str, Group] = {}

    @property
    def is_bare(self) -> bool:
        return not (self.children or self.holders or self.groups)


class SubscriptionTree:
    """Finds the clients that asked for a topic, in time bounded by its depth and its matches."""

    def __init__(self) -> None:
        self._root = _Node()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, client_id: str, wanted: Filter) -> bool:
        """Add or replace one client's filter; say whether it is new."""
        group, pattern = group_of(wanted.pattern)
        node = self._root
        for level in pattern.split("/"):
            node = node.children.setdefault(level, _Node())
        if group is not None:
            new = node.groups.setdefault(group, Group()).add(client_id, wanted)
        else:
            new = client_id not in node.holders
            node.holders[client_id] = wanted
        self._count += new
        return new

    def remove(self, client_id: str, pattern: str) -> bool:
        """Remove one client's filter and what only it needed; say whether it was there."""
        group, pattern = group_of(pattern)
        path = [self._root]
        levels = pattern.split("/")
        for level in levels:
            below = path[-1].children.get(level)
            if below is None:
                return False
            path.append(below)
        if not _left(path[-1], client_id, group):
            return False
        self._count -= 1
        for parent, level in zip(reversed(path[:-1]), reversed(levels), strict=True):
            if not parent.children[level].is_bare:
                break
            del parent.children[level]
        return True

    def match(self, topic: str) -> dict[str, Filter]:
        """Return one filter for every client that asked, the one with the highest quality of service."""
        return self.hearers(topic)[0]

    def hearers(self, topic: str) -> tuple[dict[str, Filter], list[Group]]:
        """Return what `match` does, and the groups of which one each is to hear of a topic."""
        found: dict[str, Filter] = {}
        groups: list[Group] = []
        for node in self._nodes(topic):
            _take(found, node)
            groups += node.groups.values()
        return found, groups

    def group(self, pattern: str) -> Group | None:
        """Return those who share a filter."""
        name, shared = group_of(pattern)
        node: _Node | None = self._root
        for level in shared.split("/"):
            node = node.children.get(level) if node else None
        return node.groups.get(name or "") if node else None

    def _nodes(self, topic: str) -> Iterator[_Node]:
        if not self._count:
            return
        levels = topic.split("/")
        front = [self._root]
        for depth, level in enumerate(levels):
            wild = depth > 0 or not level.startswith("$")
            if wild:
                yield from _at(front, "#")
            front = [below for node in front for below in _below(node, level, wild)]
            if not front:
                return
        yield from _at(front, "#")
        yield from front


def _below(node: _Node, level: str, wild: bool) -> Iterator[_Node]:
    children = node.children
    # A topic's own level can be neither + nor #: no client may publish to such a name.
    if level in children:
        yield children[level]
    if wild and "+" in children:
        yield children["+"]


def _at(nodes: list[_Node], level: str) -> Iterator[_Node]:
    return (node.children[level] for node in nodes if level in node.children)


def _left(node: _Node, client_id: str, group: str | None) -> bool:
    if group is None:
        return node.holders.pop(client_id, None) is not None
    shared = node.groups.get(group)
    if not shared or not shared.remove(client_id):
        return False
    if not shared:
        del node.groups[group]
    return True


def _take(found: dict[str, Filter], node: _Node) -> None:
    for client_id, wanted in node.holders.items():
        held = found.get(client_id)
        if held is None:
            found[client_id] = wanted
        elif held.numbers or wanted.numbers or held.qos < wanted.qos:
            higher = held if held.qos >= wanted.qos else wanted
            found[client_id] = replace(higher, numbers=held.numbers + wanted.numbers)


class RetainedMessages:
    """The last message left under each topic, bounded in number and bytes, and written down."""

    def __init__(self, most: int, most_bytes: int, ledger: Ledger) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: dict[str, Retained] = {}
        self._ledger = ledger

    def __len__(self) -> int:
        return len(self._kept)

    def restore(self, retained: Retained) -> None:
        """Take over what was written down."""
        self._kept[retained.publish.topic] = retained
        self._bytes += retained.publish.size

    def keep(self, publish: Publish, now_ns: int) -> bool:
        """Keep the message in place of an earlier one, or forget that if it is empty; False when full."""
        self._forget(publish.topic)
        if not publish.payload:
            return True
        if len(self._kept) >= self._most or self._bytes + publish.size > self._most_bytes:
            return False
        kept = Retained(publish, now_ns)
        self._kept[publish.topic] = kept
        self._bytes += publish.size
        write_retained(self._ledger, publish.topic, kept)
        return True

    def matching(self, pattern: str, now_ns: int) -> Iterator[Publish]:
        """Yield what was left under the topics that match, with the time they have left to live."""
        tree = SubscriptionTree()
        tree.add("", Filter(pattern))
        for topic, (publish, kept_ns) in list(self._kept.items()):
            if not tree.match(topic):
                continue
            alive = aged(publish, kept_ns, now_ns)
            if alive:
                yield alive
            else:
                self._forget(topic)

    def drop(self, unwanted: Callable[[Publish, int], bool]) -> int:
        """Forget the messages of which that is true; returns how many."""
        gone = [topic for topic, (publish, kept_ns) in self._kept.items() if unwanted(publish, kept_ns)]
        for topic in gone:
            self._forget(topic)
        return len(gone)

    def _forget(self, topic: str) -> None:
        earlier = self._kept.pop(topic, None)
        if earlier:
            self._bytes -= earlier.publish.size
            write_retained(self._ledger, topic, None)
