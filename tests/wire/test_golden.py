"""Golden tables: each folder holds a stranger's file and what must be found in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.wire.file import open_table
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.stretch import TableBatch

CASES = sorted((Path(__file__).parents[1] / "golden" / "tables").iterdir())


def load(case: Path) -> tuple[Path, dict[str, Any], Hints]:
    """The input of a case, what is expected of it, and the hints it is opened with."""
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in expected.get("hints", {}).items()}
    return next(p for p in case.iterdir() if p.stem == "input"), expected, Hints(**given)


def line(batch: TableBatch, at: int) -> dict[str, Any]:
    """One row of a batch as a case writes it."""
    values = batch.batch.values[at].tolist()
    return {
        "row": int(batch.row_numbers[at]),
        "time": str(np.datetime64(int(batch.batch.time_ns[at]), "ns")),
        "text": str(batch.time_text[at]),
        "device": batch.batch.devices[batch.batch.device[at]],
        "values": [None if v != v else v for v in values],
    }


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
@pytest.mark.parametrize("rows_per_batch", [7, 1000])
def test_what_is_found_is_what_is_there(case: Path, rows_per_batch: int) -> None:
    path, expected, hints = load(case)
    if "refused" in expected:
        with pytest.raises(BadInput) as refused:
            open_table(path, hints).survey()
        assert (refused.value.what, refused.value.hint) == (expected["refused"], expected["hint"])
        assert refused.value.where == str(path)
        return
    table = open_table(path, hints)
    batches = list(table.batches(rows_per_batch))
    shape, said = table.shape, expected["shape"]
    found = {name: getattr(shape, name) for name in said if name not in ("signals", "dropped", "notes")}
    found |= {"signals": [s.label for s in shape.signals], "notes": list(shape.notes)}
    assert found | {"dropped": {d.name: d.reason for d in shape.dropped}} == said
    tally = {name: getattr(table.tally, name) for name in expected["tally"]}
    assert tally == expected["tally"]
    assert list(batches[-1].batch.devices) == expected["devices"]
    assert line(batches[0], 0) == expected["first"]
    assert line(batches[-1], -1) == expected["last"]


def test_there_are_cases() -> None:
    assert len(CASES) >= 50
