"""A notice about a sensor that was wrong does not come again; whatever else is told, is told as before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from bimetal.learn.card import card_of
from bimetal.learn.feedback import Known, knowing
from bimetal.learn.label import Label, Verdict
from bimetal.learn.limit import restored
from bimetal.learn.looking import Detector, Stretch
from bimetal.learn.notice import Ears
from bimetal.learn.train import Learned
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Fault
from bimetal.program.block import pack
from bimetal.targets.present import fastest
from tests.learn.given import Floats, batch_of, readings, taught

MODEL = taught(("pump", readings(3000)), ("spare", readings(3000, 2)))
AT = 700


def stuck(x: Floats, signal: int, at: int, rows: int = 60) -> None:
    x[at : at + rows, signal] = x[at, signal]


def gone(x: Floats, signal: int, at: int) -> None:
    x[at : at + 40, signal] = np.nan


def spike(x: Floats, signal: int, at: int) -> None:
    x[at, signal] += 12.0


def loose(x: Floats, signal: int, at: int) -> None:
    x[at : at + 40 : 2, signal] = np.nan


def absurd(x: Floats, signal: int, at: int) -> None:
    x[at : at + 3, signal] = 1e5


KINDS = {
    Fault.STUCK: stuck, Fault.MISSING: gone, Fault.SPIKE: spike, Fault.DROPOUT: loose,
    Fault.OUT_OF_RANGE: absurd,
}  # fmt: skip


def seen(*broken: tuple[Callable[[Floats, int, int], None], int, int], device: str = "pump") -> Stretch:
    """Readings of a device that were made faulty: how, which signal, where."""
    values = readings(1500, 5)
    for breaks, signal, at in broken:
        breaks(values, signal, at)
    return Stretch(device, batch_of(values).time_ns, values)


def ears(stretch: Stretch, model: Learned | Known = MODEL) -> Ears:
    names = [i.name for i in model.program.inputs]
    return Ears(Detector(model.program, model.values, names, fastest()), stretch)


def said(
    stretch: Stretch,
    verdict: Verdict,
    model: Learned | Known = MODEL,
    *,
    kind: Fault | None = None,
    everywhere: bool = False,
) -> Label:
    """Say something of the first notice about the first signal from a row on."""
    heard = ears(stretch, model)
    fault = heard.faults()[:, 0]
    row = AT + int(np.flatnonzero(fault[AT:] == kind if kind else fault[AT:])[0])
    notice = heard.notice_at(0, int(stretch.time_ns[row]), "signal 1")
    before = restored(model.values, model.card.labels)
    limits = tuple(
        replace(
            x, was={d: float(v[x.param][x.place]) for d, v in before.items() if everywhere or d == "pump"}
        )
        for x in heard.limits(notice, "signal 1", verdict)
    )
    number = len(model.card.labels) + 1
    return Label(number, verdict, "", "pump", AT, 0, "", everywhere, (), None, ("signal 1",), limits)


def knows(labels: Sequence[Label], model: Learned | Known = MODEL) -> Known:
    return knowing(model.program, model.values, model.card, labels)


def told(stretch: Stretch, model: Learned | Known, signal: int) -> set[Fault]:
    """Which faults are told of a signal from where it was made faulty on."""
    return {Fault(f) for f in np.unique(ears(stretch, model).faults()[AT - 50 :, signal]).tolist() if f}


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_a_fault_is_not_told_again_and_all_else_is(kind: Fault) -> None:
    stretch = seen((KINDS[kind], 0, AT))
    assert kind in told(stretch, MODEL, 0)
    label = said(stretch, Verdict.NOT_A_FAULT)
    after = knows([label])
    assert not after.rebuilt
    assert after.program is MODEL.program
    assert kind not in told(stretch, after, 0)
    assert kind in told(seen((KINDS[kind], 1, AT)), after, 1)
    assert kind in told(replace(stretch, device="spare"), after, 0)
    other = Fault.SPIKE if kind is not Fault.SPIKE else Fault.STUCK
    assert other in told(seen((KINDS[other], 0, AT)), after, 0)
    assert kind not in told(
        replace(stretch, device="spare"), knows([said(stretch, Verdict.NOT_A_FAULT, everywhere=True)]), 0
    )


def test_what_was_a_fault_is_told_sooner_but_nothing_else_is() -> None:
    stretch = seen((stuck, 0, AT), (lambda x, s, at: stuck(x, s, at, 6), 0, 200))
    label = said(stretch, Verdict.FAULT)
    after = knows([label])
    first, then = (np.flatnonzero(ears(stretch, m).faults()[:, 0] == Fault.STUCK) for m in (MODEL, after))
    assert AT < then[0] < first[0]
    assert len(then) > len(first)


def test_taken_back_in_any_order_it_is_as_it_was_bit_for_bit() -> None:
    one = said(seen((stuck, 0, AT)), Verdict.NOT_A_FAULT, everywhere=True)
    first = knows([one])
    longer = seen((lambda x, s, at: stuck(x, s, at, 200), 0, AT))
    two = said(longer, Verdict.NOT_A_FAULT, first, kind=Fault.STUCK)
    assert two.limits[0].value > one.limits[0].value
    both = knows([one, two], first)
    assert Fault.STUCK not in told(longer, both, 0)
    gone_one, gone_two = (replace(x, withdrawn_ns=1) for x in (one, two))
    only_two = knows([gone_one, two], both)
    assert Fault.STUCK not in told(longer, only_two, 0)
    assert Fault.STUCK in told(replace(seen((stuck, 0, AT)), device="spare"), only_two, 0)
    for last in (
        knows([gone_one, gone_two], only_two),
        knows([gone_one, gone_two], knows([one, gone_two], both)),
    ):
        assert {d: pack(last.program, v) for d, v in last.values.items()} == {
            d: pack(MODEL.program, v) for d, v in MODEL.values.items()
        }


def test_a_card_keeps_it() -> None:
    card = knows([said(seen((gone, 0, AT)), Verdict.NOT_A_FAULT)]).card
    assert card_of(card.plain()) == card


def test_nothing_said_is_refused() -> None:
    heard = ears(seen())
    with pytest.raises(BadInput, match="nothing was said of the sensor signal 1 at that time"):
        heard.notice_at(0, int(heard.seen.time_ns[AT]), "signal 1")
    nothing = Stretch("pump", np.empty(0, np.int64), np.empty((0, 2)))
    with pytest.raises(BadInput, match="nothing was said"):
        ears(nothing).notice_at(0, 0, "signal 1")
