"""`bimetal boards`: the table, and a model held against it, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bimetal.cli.tabling import fit_line
from bimetal.shrink.board import BOARDS
from bimetal.shrink.budget import fits_on, need_of
from tests.cli.ground import call, trained
from tests.shrink.given import detector


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("boards"))


def test_every_board_is_listed_with_what_it_has() -> None:
    said = call("boards").out.splitlines()
    assert len(said) == 1 + len(BOARDS)
    assert "nucleo-l432kc   STM32L432KC       Cortex-M4F     256 KiB    64 KiB    80 MHz" in said


def test_the_table_as_json() -> None:
    rows = json.loads(call("boards", "--json").out)
    assert [row["board"] for row in rows] == list(BOARDS)
    (pico,) = [row for row in rows if row["board"] == "pico"]
    assert (pico["flash_bytes"], pico["ram_bytes"], pico["clock_hz"]) == (2 << 20, 264 << 10, 125_000_000)
    assert pico["processor"] == "cortex-m0plus"


def test_a_model_is_held_against_every_board(model: Path) -> None:
    ended = call("boards", model)
    assert ended.code == 0
    rows = ended.out.splitlines()[1:-1]
    assert [row.split()[0] for row in rows] == list(BOARDS)
    assert all(row.endswith("fits") for row in rows if row.startswith("pico"))
    records = json.loads(call("boards", model, "--json").out)
    assert [row.endswith("fits") for row in rows] == [record["fits"] for record in records]


def test_what_a_board_lacks_is_said() -> None:
    said = {f.name: fit_line(f) for f in fits_on(need_of(detector(8)))}
    assert "too many of ram" in said["arduino-uno"]
    assert "too many of flash" in said["arduino-uno"]
    assert said["pico"].endswith("  fits")
    assert "~" in said["pico"]


def test_a_model_is_held_against_every_board_as_json(model: Path) -> None:
    rows = json.loads(call("boards", model, "--json").out)
    assert [row["board"] for row in rows] == list(BOARDS)
    for row in rows:
        ram = row["takes"]["ram"]
        assert ram["used"] == sum(row["ram_is"].values())
        assert ram["fits"] == (ram["used"] + ram["error"] <= row["ram_bytes"])


def test_a_model_that_is_not_there_or_is_none_is_said(tmp_path: Path) -> None:
    assert "no such model" in call("boards", tmp_path / "no.bm").sentence(4)
    (tmp_path / "not.bm").write_text("not a model")
    assert "not a bimetal model" in call("boards", tmp_path / "not.bm").sentence(1)
