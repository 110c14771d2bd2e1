"""The certificate: every figure says where it comes from, and names every file by its hash."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from bimetal.program.digest import digest
from bimetal.shrink.board import board_of
from bimetal.shrink.budget import Fit, Limits, fit, fit_board, need_of
from bimetal.shrink.certificate import certificate, figures, judgement, lacks, lines, sentence
from bimetal.shrink.machine import machine_of
from bimetal.shrink.measure import Measured
from tests.shrink.given import block_of, detector, windowed

NEED = need_of(detector(2))
M4 = machine_of("cortex-m4")
MEASURED = Measured(5000, 0, 700, "arm-none-eabi-gcc 12.2.1")


def held(flash: int = 8192, measured: Measured | None = MEASURED) -> Fit:
    return fit(NEED, M4, Limits(flash, 4096, 500_000), measured=measured)


def test_the_record_is_plain_and_complete() -> None:
    files = {"plant.c": b"int x;", "plant.h": b""}
    block = block_of(detector(2))
    record = json.loads(json.dumps(certificate(NEED, block, held(), files)))
    assert record["program"] == digest(detector(2)).hex()
    assert record["parameters_sha256"] == hashlib.sha256(block).hexdigest()
    assert record["files"] == {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert (record["processor"], record["board"], record["fits"]) == ("cortex-m4", None, True)
    assert record["compiler"] == MEASURED.compiler
    assert "-ffp-contract=off" in record["flags"]
    assert record["takes"]["flash"] == {
        "used": 5000, "error": 0, "limit": 8192, "how": "measured", "fits": True,
    }  # fmt: skip
    assert record["takes"]["instructions"]["how"] == "estimated"
    assert record["ram_is"]["state"] == NEED.report.state_bytes
    assert record["ram_is"]["stack"] == 700
    assert sum(record["ram_is"].values()) == record["takes"]["ram"]["used"]


def test_every_clock_has_its_work() -> None:
    record = judgement(fit(need_of(windowed(64)), M4, Limits()))
    assert [(c["period"], c["first"]) for c in record["clocks"]] == [(1, 0), (64, 63)]
    assert all(c["instructions"] > 0 for c in record["clocks"])
    assert record["takes"]["instructions"]["used"] == sum(c["instructions"] for c in record["clocks"])
    said = "\n".join(lines(fit(need_of(windowed(64)), M4, Limits())))
    assert "at every 64th reading" in said


def test_words_say_measured_or_estimated_and_by_how_much() -> None:
    measured, estimated = "\n".join(lines(held())), "\n".join(lines(held(measured=None)))
    assert "5,000 bytes, measured" in measured
    assert "of 8,192: fits (61 %)" in measured
    flash = held(measured=None).rows[0]
    assert flash.error > 0
    assert f"{flash.used:,} bytes, estimated, {flash.error:,} more at most" in estimated


def test_one_line_says_it_all_in_ascii() -> None:
    said = sentence(held())
    assert said.isascii()
    assert said.startswith("Fits cortex-m4: flash 5,000 bytes, measured, of 8,192; ram ")
    assert sentence(held(flash=100)).startswith("Does not fit cortex-m4")
    board = fit_board(NEED, board_of("pico"))
    assert "pico" in sentence(board)


def test_what_lacks_is_named_and_nothing_else() -> None:
    assert lacks(held()) == ""
    assert lacks(held(flash=4999)) == "flash takes 5,000 bytes, measured, of 4,999"
    assert figures(held()).startswith("flash 5,000, ram ")


def test_notes_are_told() -> None:
    noted = replace(held(), notes=("something is left out",))
    assert "note: something is left out" in lines(noted)
    assert judgement(noted)["notes"] == ["something is left out"]
