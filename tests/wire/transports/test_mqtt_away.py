"""Who is away: its will, whom it is, what it may hold, and what others get instead of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bimetal.keep.session_file import SessionFile
from bimetal.nouns.errors import NotAllowed
from bimetal.trust.identify import Claim, Identity
from tests.wire.transports.mqtt_guest import HOUR, absent, away, back, left_for, told
from tests.wire.transports.mqtt_peer import (
    QUICK,
    VERSIONS,
    end_of,
    eventually,
    house,
    packet,
    publish,
    subscribe,
    text,
)


def will_of(client_id: str, delay_s: int, remember_s: int, clean: bool = False) -> bytes:
    """Return a CONNECT with a will that waits."""
    properties = b"\x11" + remember_s.to_bytes(4, "big")
    waits = b"\x18" + delay_s.to_bytes(4, "big")
    flags = 0x0C | 2 * clean
    return packet(
        0x10, text("MQTT"), bytes([5, flags]), 0, bytes([5]) + properties, text(client_id),
        bytes([5]) + waits, text("gone"), text(b"bye"),
    )  # fmt: skip


@pytest.mark.parametrize(("remember_s", "delay_s"), [(60, 1), (1, 60), (0, 60), (60, 0)])
def test_a_will_waits_for_its_client_but_not_beyond_its_session(remember_s: int, delay_s: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            peer = await shelter.peer()
            await peer.send(will_of("pump", delay_s, remember_s))
            await peer.read()
            peer.writer.transport.abort()
            await eventually(lambda: shelter.listener.traffic().open == 0)
            await asyncio.sleep(0.1)
            assert bool(shelter.messages) == (min(remember_s, delay_s) == 0)
            assert [m.payload for m in await shelter.until(1)] == [b"bye"]

    asyncio.run(walk())


def test_a_will_is_not_told_of_a_client_that_came_back_in_time() -> None:
    async def walk() -> None:
        async with house() as shelter:
            for _ in range(2):
                peer = await shelter.peer()
                await peer.send(will_of("pump", 1, 60))
                await peer.read()
                peer.writer.transport.abort()
                await eventually(lambda: shelter.listener.traffic().open == 0)
            peer, present = await back(shelter, "pump")
            assert present
            await asyncio.sleep(1.2)
            assert not shelter.messages
            other = await shelter.peer()
            await other.send(will_of("pump", 1, 60, clean=True))
            await other.read()
            peer, present = await back(shelter, "pump", clean=True)
            assert not present
            assert [m.payload for m in await shelter.until(1)] == [b"bye"]

    asyncio.run(walk())


def test_a_clean_start_while_the_client_is_there_leaves_nothing_of_the_session_before() -> None:
    async def walk() -> None:
        async with house() as shelter:
            roster = shelter.listener._exchange._roster
            first = await shelter.peer()
            await first.send(will_of("pump", 60, 60))
            await first.read()
            second, present = await back(shelter, "pump", clean=True)
            assert not present
            assert await first.gone() == end_of(5, 0x8E)
            assert [m.payload for m in await shelter.until(1)] == [b"bye"], "its session ended: no delay"
            await eventually(lambda: shelter.listener.traffic().open == 1)
            assert not roster._endings
            assert not roster._wills
            await away(second)
            await eventually(lambda: set(roster._endings) == {"pump"})

    asyncio.run(walk())


def test_nobody_takes_up_the_session_of_another() -> None:
    def by_name(claim: Claim) -> Identity:
        return Identity(None)

    async def walk() -> None:
        async with house(identify=by_name) as shelter:
            for login, expected in ((("ann", b"x"), False), (("bob", b"x"), False), (("bob", b"x"), True)):
                peer = await shelter.peer()
                answer = await peer.hello("ear", clean=False, properties=HOUR, login=login)
                assert bool(answer[2]) == expected
                await away(peer)

    asyncio.run(walk())


def test_who_is_let_in_no_longer_is_not_remembered_either() -> None:
    revoked: set[str] = set()

    def identify(claim: Claim) -> Identity:
        if claim.name in revoked:
            raise NotAllowed("revoked")
        return Identity(None)

    async def walk() -> None:
        async with house(identify=identify) as shelter:
            peer, _ = await back(shelter, "ear")
            revoked.add("ear")
            shelter.listener.check_again()
            assert await peer.gone() == end_of(5, 0x87)
            await eventually(lambda: not shelter.listener._exchange._sessions)

    asyncio.run(walk())


def test_what_waits_for_all_who_are_away_is_bounded() -> None:
    async def walk() -> None:
        limits = replace(QUICK, queued_messages=3, remembered_bytes=50, remembered_sessions=2)
        async with house(limits) as shelter:
            for name in ("a", "b", "c"):
                await absent(shelter, name)
                await eventually(lambda: shelter.listener.traffic().open == 0)
            assert set(shelter.listener._exchange._sessions) == {"a", "b"}
            await left_for(shelter, *[b"123456"] * 5)
            assert shelter.listener.traffic().dropped == 4
            heard = 0
            for name in ("a", "b"):
                peer, _ = await back(shelter, name)
                for _ in range(3):
                    payload, number, _ = told(await peer.read(), 5)
                    assert payload == b"123456"
                    await peer.send(packet(0x40, number))
                    heard += 1
                await away(peer)
            assert heard == 6
            assert shelter.listener._exchange._roster._purse.take(50)

    asyncio.run(walk())


@VERSIONS
def test_of_those_who_share_one_gets_each_message(version: int) -> None:
    async def walk() -> None:
        async with house() as shelter:
            workers = [await shelter.client(f"worker-{i}", version) for i in range(3)]
            for peer in workers:
                await peer.send(subscribe("$share/group/a", 1, 1, version))
                assert (await peer.read())[-1] == 1
            other = await shelter.client("other", version)
            await other.send(subscribe("a", 1, 1, version))
            await other.read()
            await left_for(shelter, *(b"%d" % i for i in range(9)))
            for peer in workers:
                heard = {told(await peer.read(), version)[0] for _ in range(3)}
                assert len(heard) == 3
            assert [told(await other.read(), version)[0] for _ in range(9)] == [b"%d" % i for i in range(9)]
            await workers[0].send(packet(0xA2, 5, b"\0" if version == 5 else b"", text("$share/group/a")))
            while (answer := await workers[0].read())[0] >> 4 != 11:
                assert answer[0] >> 4 == 3
            await left_for(shelter, b"x", b"y")
            assert {told(await peer.read(), version)[0] for peer in workers[1:]} == {b"x", b"y"}

    asyncio.run(walk())


def test_what_a_member_did_not_get_goes_to_another_when_its_session_ends() -> None:
    async def walk() -> None:
        async with house() as shelter:
            first = await shelter.client("first")
            await first.send(subscribe("$share/group/a", 1))
            await first.read()
            await left_for(shelter, b"one")
            await first.read()
            second = await shelter.client("second")
            await second.send(subscribe("$share/group/a", 1))
            await second.read()
            first.writer.transport.abort()
            assert told(await second.read(), 5)[0] == b"one"

    asyncio.run(walk())


def test_those_who_share_are_waited_for_only_while_nobody_is_there(tmp_path: Path) -> None:
    store = SessionFile(tmp_path / "sessions.sqlite")

    async def walk() -> None:
        async with house(store=store) as shelter:
            for name in ("one", "two"):
                await absent(shelter, name, "$share/group/a")
        async with house(store=SessionFile(store.path)) as shelter:
            await left_for(shelter, b"1", b"2", b"3", b"4")
            peer, _ = await back(shelter, "one")
            mine = [told(await peer.read(), 5)[0] for _ in range(2)]
            await left_for(shelter, b"5", b"6")
            mine += [told(await peer.read(), 5)[0] for _ in range(2)]
            other, _ = await back(shelter, "two")
            its = [told(await other.read(), 5)[0] for _ in range(2)]
            assert sorted(mine) + sorted(its) in (
                [b"1", b"3", b"5", b"6", b"2", b"4"],
                [b"2", b"4", b"5", b"6", b"1", b"3"],
            )

    asyncio.run(walk())


def test_a_shared_subscription_gets_nothing_that_was_left_and_cannot_leave_out_its_own() -> None:
    async def walk() -> None:
        async with house() as shelter:
            sender = await shelter.client("sender")
            await sender.send(publish("a", b"left", 1, 1, flags=1))
            await sender.read()
            peer = await shelter.client("worker")
            await peer.send(subscribe("$share/group/a", 1))
            await peer.read()
            peer.wait_s = 0.1
            with pytest.raises(TimeoutError):
                await peer.read()
            await peer.send(packet(0x82, 2, b"\0", text("$share/group/a"), bytes([4])))
            assert await peer.gone() == end_of(5, 0x82)

    asyncio.run(walk())


def test_a_device_may_share_only_what_it_may_hear() -> None:
    async def walk() -> None:
        async with house(identify=lambda claim: Identity(claim.name)) as shelter:
            peer = await shelter.client("pump")
            for pattern, code in (("$share/g/commands/pump/#", 0), ("$share/g/#", 0x87), ("#", 0x87)):
                await peer.send(subscribe(pattern))
                assert (await peer.read())[-1] == code

    asyncio.run(walk())
