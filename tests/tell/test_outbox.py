"""The outbox: slow or broken channels stop nobody, and nothing is left out in silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from bimetal.nouns.errors import BadInput
from bimetal.tell.alarm import Notice
from bimetal.tell.outbox import Outbox
from tests.tell.given import notice


class Recorder:
    """A channel that notes what it is told, waits for `gate` and raises `error` if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[Notice] = []
        self.closed = False
        self.error = error
        self.gate = threading.Event()
        self.gate.set()

    @classmethod
    def opened(cls, settings: Mapping[str, str]) -> Recorder:
        return cls()

    def tell(self, given: Notice) -> None:
        self.gate.wait(5)
        if self.error:
            raise self.error
        self.told.append(given)

    def close(self) -> None:
        self.closed = True


def test_notices_arrive_in_order_before_closing_ends() -> None:
    channel = Recorder()
    outbox = Outbox({"a": channel})
    sent = [notice(at_s=k) for k in range(50)]
    for one in sent:
        outbox.put(one)
    outbox.close()
    assert channel.told == sent
    assert channel.closed
    assert outbox.tallies()["a"].delivered == 50


def test_a_channel_that_fails_is_counted_and_stops_no_other() -> None:
    good, bad, worse = Recorder(), Recorder(BadInput("full up")), Recorder(ZeroDivisionError("oh\n"))
    outbox = Outbox({"good": good, "bad": bad, "worse": worse})
    for k in range(3):
        outbox.put(notice(at_s=k))
    outbox.close()
    tallies = outbox.tallies()
    assert len(good.told) == 3
    assert (tallies["bad"].failed, tallies["bad"].last_error) == (3, "full up.")
    assert tallies["worse"].last_error.startswith("ZeroDivisionError: oh")


def test_a_slow_channel_makes_nobody_wait_and_the_rest_is_counted() -> None:
    slow = Recorder()
    slow.gate.clear()
    outbox = Outbox({"slow": slow}, most=10)
    start = time.monotonic()
    for k in range(100):
        outbox.put(notice(at_s=k))
    assert time.monotonic() - start < 1
    assert outbox.tallies()["slow"].left_out in (89, 90)
    slow.gate.set()
    outbox.close()
    tally = outbox.tallies()["slow"]
    assert tally.delivered + tally.left_out == 100


def test_closing_does_not_wait_for_ever() -> None:
    stuck = Recorder()
    stuck.gate.clear()
    outbox = Outbox({"stuck": stuck}, most=2)
    for k in range(5):
        outbox.put(notice(at_s=k))
    outbox.close(timeout_s=0.05)
    assert not stuck.closed
    stuck.gate.set()


def test_what_a_hanging_channel_never_got_is_counted_exactly() -> None:
    for most, sent in ((10, 4), (3, 4)):
        channel = Recorder()
        channel.gate.clear()
        outbox = Outbox({"a": channel}, most=most)
        outbox.put(notice(at_s=0))
        while not outbox._lines["a"].queue.empty():
            time.sleep(0.001)
        for k in range(1, sent):
            outbox.put(notice(at_s=k))
        outbox.close(timeout_s=0.02)
        assert outbox.tallies()["a"].left_out == sent - 1
        assert not channel.closed
        channel.gate.set()
