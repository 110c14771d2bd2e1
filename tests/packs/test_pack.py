"""A pack says what it is in one file, and strangers' packs come in by the same door as ours."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import numpy as np
import pytest

from bimetal.nouns import Batch, Purpose, Signal
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.packs import pack as socket
from bimetal.packs.machine import MachinePack
from bimetal.packs.machine.fault import SCENARIOS, SIGNALS
from bimetal.packs.pack import Manifest, Pack, PackSignal, find_packs, load_pack, read_manifest
from bimetal.packs.truth import Truth

GOOD = """
[pack]
name = "greenhouse"
title = "Greenhouse"
summary = "Watches the air."
[purpose.growing]
ground = "contract"
keep_days = 30
[signal.humidity]
unit = "%"
quantity = "relative humidity"
low = 0
high = 100
rate_hz = 0.1
purpose = "growing"
privacy = "none"
[scenario.quiet]
summary = "nothing happens"
"""


class Greenhouse:
    """Another domain, as a stranger would write it."""

    def manifest(self) -> Manifest:
        return read_manifest(GOOD, "greenhouse/pack.toml")

    def simulate(
        self, scenario: str, machines: int, seconds: float, rate_hz: float, seed: int
    ) -> tuple[Batch, tuple[Truth, ...]]:
        if scenario not in self.manifest().scenarios:
            raise NotFound(f"there is no scenario {scenario}")
        rows = round(seconds * rate_hz)
        chance = np.random.default_rng(seed)
        return Batch(
            tuple(f"house-{number}" for number in range(machines)),
            tuple(entry.signal for entry in self.manifest().signals),
            np.repeat(np.arange(rows), machines) * round(1e9 / rate_hz),
            np.tile(np.arange(machines, dtype=np.int32), rows),
            chance.uniform(40, 60, (rows * machines, 1)),
        ), ()


GUESTS: list[Pack] = [MachinePack(), Greenhouse()]
EVERY = pytest.mark.parametrize("guest", GUESTS, ids=lambda guest: type(guest).__name__)


@EVERY
def test_a_pack_plays_every_scenario_it_names_alike_each_time(guest: Pack) -> None:
    manifest = guest.manifest()
    for scenario in manifest.scenarios:
        batch, truth = guest.simulate(scenario, 3, 60, 2, 1)
        again, same = guest.simulate(scenario, 3, 60, 2, 1)
        assert np.array_equal(batch.values, again.values)
        assert truth == same
        assert [s.name for s in batch.signals] == [entry.signal.name for entry in manifest.signals]
        assert len(batch) == 360
        for one in truth:
            assert one.device in batch.devices
            assert set(one.signals) <= {s.name for s in batch.signals}
            assert batch.time_ns[0] <= one.start_ns < one.end_ns <= one.settled_ns
        low, high = (np.array([getattr(e.signal, end) for e in manifest.signals]) for end in ("low", "high"))
        assert ((batch.values >= low) & (batch.values <= high)).all()


@EVERY
def test_an_unknown_scenario_is_not_found(guest: Pack) -> None:
    with pytest.raises(NotFound):
        guest.simulate("no such thing", 1, 60, 1, 0)


def test_the_machine_pack_says_why_it_keeps_each_signal() -> None:
    manifest = MachinePack().manifest()
    assert (manifest.name, tuple(manifest.scenarios)) == ("machine", SCENARIOS)
    assert [entry.signal.name for entry in manifest.signals] == list(SIGNALS)
    assert {entry.signal.unit for entry in manifest.signals} == {"mm/s", "Cel", "A", "bar", "/min"}
    assert {(entry.purpose.name, entry.purpose.keep_days) for entry in manifest.signals} == {
        ("condition-monitoring", 365.0)
    }


def test_a_manifest_is_read() -> None:
    purpose = Purpose("growing", "contract", 30.0)
    signal = Signal("humidity", "%", "relative humidity", 10.0, 0.0, 100.0)
    assert read_manifest(GOOD, "x") == Manifest(
        "greenhouse",
        "Greenhouse",
        "Watches the air.",
        (PackSignal(signal, purpose, "none"),),
        {"quiet": "nothing happens"},
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[pack]", "[pack", "this is not TOML"),
        ("[pack]", "[pock]", r"x: pack is missing"),
        ('title = "Greenhouse"', "", r"x \[pack\]: title is missing"),
        ('title = "Greenhouse"', "title = 3", "title must be a text"),
        ('title = "Greenhouse"', 'title = " "', "title must be a text"),
        ('name = "greenhouse"', 'name = "greenhouse"\ncolour = "green"', "colour is not a known key"),
        ("[scenario.quiet]", "[extra]\na = 1\n[scenario.quiet]", "extra is not a known key"),
        ("keep_days = 30", "keep_days = 0", "kept for more than 0"),
        ("keep_days = 30", 'keep_days = "long"', "keep_days must be a number"),
        ("keep_days = 30", "keep_days = true", "keep_days must be a number"),
        ("keep_days = 30", "keep_days = nan", "keep_days must be a number"),
        ("rate_hz = 0.1", "rate_hz = 0", "rate_hz must be more than 0"),
        ("high = 100", "high = -1", "the range 0.0..-1.0 is empty"),
        ('purpose = "growing"', 'purpose = "fun"', r"no purpose is named fun\. Add \[purpose\.fun\]"),
        ('privacy = "none"', 'privacy = "some"', "privacy is none or personal"),
        ('privacy = "none"', 'privacy = "none"\nx = 1', r"\[signal\] \[humidity\]: x is not a known key"),
        ("[signal.humidity]", "[signal]", "unit must be a table"),
    ],
)
def test_a_bad_manifest_says_what_and_where(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(BadInput, match=said):
        read_manifest(GOOD.replace(old, new), "x")


def test_a_manifest_without_signals_is_refused() -> None:
    text = GOOD[: GOOD.index("[signal.")] + "[signal]\n" + GOOD[GOOD.index("[scenario.") :]
    with pytest.raises(BadInput, match="at least one signal"):
        read_manifest(text, "x")


def installed(monkeypatch: pytest.MonkeyPatch, **packs: str) -> None:
    """Make the system believe that these packs are installed."""
    points = EntryPoints(EntryPoint(name, where, socket.GROUP) for name, where in packs.items())
    monkeypatch.setattr(socket, "entry_points", lambda group: points.select(group=group))


def test_packs_are_found_by_their_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, machine="bimetal.packs.machine:MachinePack", green=f"{__name__}:Greenhouse")
    assert list(find_packs()) == ["green", "machine"]
    assert load_pack("machine").manifest().name == "machine"
    assert load_pack("green").manifest().name == "greenhouse"


def test_a_pack_that_is_not_there_is_named_with_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, machine="bimetal.packs.machine:MachinePack")
    with pytest.raises(NotFound, match=r"no pack named solar\. Installed packs: machine"):
        load_pack("solar")
    installed(monkeypatch)
    with pytest.raises(NotFound, match="Installed packs: none"):
        load_pack("machine")


@pytest.mark.parametrize("where", ["no.such.module:Pack", f"{__name__}:NoSuchClass", "math:pi"])
def test_a_pack_that_cannot_be_loaded_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    installed(monkeypatch, broken=where)
    assert list(find_packs()) == ["broken"]
    with pytest.raises(BadInput, match=r"broken: the pack cannot be loaded: .*Install it again"):
        load_pack("broken")
