"""What plugs into a socket comes in by the guests' door, and every file of such a room is registered."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

from bench.house import PACKAGE, ROOT

GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
ROOMS = {"bimetal.operators": "program/operators", "bimetal.channels": "tell/channels"}


@pytest.mark.parametrize("group", ROOMS)
def test_every_file_of_the_room_is_registered(group: str) -> None:
    room = PACKAGE / ROOMS[group]
    written = {f.stem for f in room.glob("[a-z]*.py")}
    registered = {value.split(":")[0].rsplit(".", 1)[1] for value in GROUPS[group].values()}
    assert written == registered


@pytest.mark.parametrize("group", GROUPS)
def test_every_entry_leads_to_something(group: str) -> None:
    assert len(GROUPS[group]) >= 2, "no socket without a second implementation"
    for name, value in GROUPS[group].items():
        module, _, attribute = value.partition(":")
        found = importlib.import_module(module)
        assert hasattr(found, attribute), f"{name} = {value}"
        assert Path(found.__file__ or "").is_relative_to(PACKAGE)
