"""The file of a fleet: it comes back exactly, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.fleet.fleet_file import Fleet, load_fleet, save_fleet
from bimetal.fleet.inventory import Inventory
from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from tests.fleet.given import NEW, OLD, Plant, deployment, run


def fleet(turns: int = 3, broken: str = "") -> Fleet:
    now = run(Plant(broken=frozenset(broken)), deployment(), turns)[-1].deployment
    inventory = Inventory(frozenset({"pump"}), 7, crowd=3).heard(["pump", "größe"], 9)
    return Fleet(inventory).begin(now)


@pytest.mark.parametrize(("turns", "broken"), [(1, ""), (3, ""), (20, ""), (20, "b")])
def test_a_fleet_comes_back(tmp_path: Path, turns: int, broken: str) -> None:
    save_fleet(tmp_path / "f", fleet(turns, broken))
    assert load_fleet(tmp_path / "f") == fleet(turns, broken)


def test_a_rollout_goes_on_after_a_restart(tmp_path: Path) -> None:
    plant = Plant()
    now = deployment()
    for _ in range(12):
        now = run(plant, now, 1)[-1].deployment
        save_fleet(tmp_path / "f", Fleet(deployments=(now,)))
        now = load_fleet(tmp_path / "f").deployments[0]
    assert set(plant.armed.values()) == {NEW}


def test_a_device_is_in_one_unfinished_deployment_at_most() -> None:
    other = deployment(bundle="ef" * 32, waves=(("x",), ("c",)))
    with pytest.raises(BadInput, match="c is still in the middle"):
        fleet(3).begin(other)
    assert len(fleet(20).begin(other).deployments) == 2
    assert len(fleet(20, "a").begin(other).deployments) == 2


def test_a_deployment_takes_the_place_of_what_it_was() -> None:
    before = fleet(1)
    after = before.with_deployment(fleet(20).deployments[0])
    assert after.deployments == fleet(20).deployments


@pytest.mark.parametrize(
    "content", [b"", b"null", b"{}", b"\xff", b'{"bimetal_fleet": 1}', b'{"bimetal_fleet": "1"}']
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(BadInput, match="not the file of a fleet"):
        load_fleet(tmp_path / "f")


def test_a_truncated_or_forged_file_is_refused(tmp_path: Path) -> None:
    save_fleet(tmp_path / "f", fleet())
    content = (tmp_path / "f").read_bytes()
    for bad in (
        content[:-20],
        content.replace(NEW.encode(), b"../../x"),
        content.replace(OLD.encode(), NEW.encode()),
    ):
        (tmp_path / "f").write_bytes(bad)
        with pytest.raises(BadInput):
            load_fleet(tmp_path / "f")


def test_newer_and_missing_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_fleet(tmp_path / "f")
    (tmp_path / "f").write_bytes(b'{"bimetal_fleet": 2, "more": true}')
    with pytest.raises(Unsupported, match="format 2"):
        load_fleet(tmp_path / "f")
