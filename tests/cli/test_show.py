"""`bimetal show`: a model's card, as people and as programs read it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bimetal.bundle.seal import read
from bimetal.program.digest import digest
from tests.cli.ground import call, rows, table


def test_a_card_says_where_a_model_is_from_and_what_is_usual(quiet: Path) -> None:
    ended = call("show", quiet / "quiet.bm")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith(f"{quiet / 'quiet.bm'}: anomaly detection, made by bimetal ")
    assert re.fullmatch(r"signed by this installation \([0-9a-f]{16}\), program [0-9a-f]{16}", lines[1])
    at = lines.index("most unusual in the history, and learned from all the same (a score of 1 would alarm):")
    while re.match(r"  \d\. 2026-01-01T00:0", lines[at + 1]):
        del lines[at + 1]
    del lines[at]
    assert lines[2:9] == [
        "learned from 600 rows of 1 device, every 1 s, from 2026-01-01 00:00:00 to 2026-01-01 00:09:59",
        "  in quiet.csv",
        "promise: at most 1 false alarm a week",
        "  not measured but extrapolated: 10 min of history is 0.099% of the 7 days in which one is allowed; "
        "train on more to make it firm",
        "  kept in any case: what goes beyond it is held back, once 8 in reserve are spent",
        "  a drift test says when it no longer holds; without a change it does so at most once in 140 days",
        "signals, 2, and between what they usually are:",
    ]
    assert re.fullmatch(r"  temperature  18\.\d+ to 21\.\d+ °C", lines[9])
    assert re.fullmatch(r"  flow         2\.\d+ to 3\.\d+", lines[10])
    assert lines[11] == "devices, 1: quiet"


def test_a_card_in_figures_holds_the_key_and_the_digest(quiet: Path) -> None:
    told = json.loads(call("show", quiet / "quiet.bm", "--json").out)
    sealed = read(quiet / "quiet.bm")
    assert (told["signer"], told["digest"]) == (sealed.signer.hex(), digest(sealed.bundle.program).hex())
    assert told["columns"] == ["time", "temperature (°C)", "flow"]
    assert [s["missing"] for s in told["signals"]] == [None, None]


def test_a_code_for_missing_is_remembered(tmp_path: Path) -> None:
    """The one number that stood for no reading in training does so in a stream that is too short to tell."""
    lines = [f"{r.rsplit(',', 1)[0]},-200" if k % 50 == 7 else r for k, r in enumerate(rows())]
    (tmp_path / "a.csv").write_text(table(lines), encoding="utf-8")
    assert (
        "note: -200 is taken to mean missing in flow"
        in call("train", tmp_path / "a.csv", "-o", tmp_path / "m").out
    )
    assert [s["missing"] for s in json.loads(call("show", tmp_path / "m", "--json").out)["signals"]] == [
        None,
        -200,
    ]
    (tmp_path / "b.csv").write_text(table(lines[:8]), encoding="utf-8")
    ended = call("run", tmp_path / "m", tmp_path / "b.csv")
    assert "Note: 1 value is missing: 1 a number that stands for missing." in ended.err.splitlines()


def test_names_of_strangers_cannot_command_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "\u202eodd\x1b[2Jname.csv"
    head = "time,te\x1bmp\u200b,\u2066fl\x07ow"
    path.write_text(table(rows(), head), encoding="utf-8")
    for words in (
        ("train", path, "-o", tmp_path / "m"),
        ("show", tmp_path / "m"),
        ("run", tmp_path / "m", path),
    ):
        ended = call(*words)
        assert ended.code == 0, ended.err
        assert all(line.isprintable() for line in (ended.out + ended.err).splitlines())
    assert json.loads(call("show", tmp_path / "m", "--json").out)["signals"][1]["name"] == "flow"
