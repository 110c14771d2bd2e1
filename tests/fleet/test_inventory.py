"""The inventory: everybody who speaks is seen, the expected who do not are missed, and memory is bounded."""

from __future__ import annotations

import numpy as np

from bimetal.fleet import inventory as inventory_file
from bimetal.fleet.inventory import Inventory, Presence, Sighting
from bimetal.nouns import Batch, Signal

PATIENCE = 100


def expected() -> Inventory:
    return Inventory(frozenset({"pump", "fan"}), PATIENCE)


def test_how_devices_stand() -> None:
    seen = expected().heard(["pump", "stranger"], 1000)
    assert seen.everybody(1000 + PATIENCE) == {
        "fan": Presence.SILENT,
        "pump": Presence.KNOWN,
        "stranger": Presence.UNKNOWN,
    }
    assert seen.presence("pump", 1001 + PATIENCE) is Presence.SILENT


def test_messages_are_counted_and_times_kept() -> None:
    seen = expected().heard(["pump"], 10).heard(["pump", "pump"], 30).heard(["pump"], 20)
    assert seen.sightings["pump"] == Sighting(10, 30, 4)


def test_a_batch_is_heard_from_those_with_rows_in_it() -> None:
    batch = Batch(
        ("pump", "fan", "idle"),
        (Signal("x"),),
        np.arange(4),
        np.array([0, 1, 1, 0], np.int32),
        np.zeros((4, 1)),
    )
    seen = expected().heard_batch(batch, 5)
    assert {d: s.messages for d, s in seen.sightings.items()} == {"pump": 1, "fan": 1}


def test_a_stranger_can_be_expected_and_forgotten() -> None:
    seen = expected().heard(["new"], 1).expect(["new"])
    assert seen.presence("new", 1) is Presence.KNOWN
    gone = seen.forget("new").forget("pump")
    assert set(gone.everybody(1)) == {"fan"}


def test_made_up_names_do_not_fill_the_memory(monkeypatch) -> None:
    monkeypatch.setattr(inventory_file, "MOST_STRANGERS", 50)
    seen = expected().heard([f"x{k}" for k in range(500)], 1).heard([f"y{k}" for k in range(500)], 2)
    assert len(seen.sightings) == 50
    assert seen.crowd == 950
    assert seen.heard(["pump", "x3"], 3).presence("pump", 3) is Presence.KNOWN


def test_the_inventory_given_is_left_as_it_was() -> None:
    before = expected()
    before.heard(["a"], 1)
    assert before == expected()
