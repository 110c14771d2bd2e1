"""Boards: real parts, found by name, each with a processor."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import NotFound
from bimetal.shrink.board import BOARDS, Board, board_of
from bimetal.shrink.machine import MACHINES
from bimetal.targets.packaging import esp_idf, platformio, zephyr


@pytest.mark.parametrize("board", BOARDS.values(), ids=str)
def test_every_board_has_a_processor_and_sizes_that_can_be(board: Board) -> None:
    assert MACHINES[board.machine.name] is board.machine
    assert board.flash_bytes % 1024 == board.ram_bytes % 1024 == 0
    assert board.flash_bytes > board.ram_bytes > 0
    assert 1_000_000 <= board.clock_hz <= 1_000_000_000


@pytest.mark.parametrize(
    ("name", "flash_kib", "ram_kib", "mhz"),
    [
        ("nucleo-l031k6", 32, 8, 32),
        ("nucleo-l432kc", 256, 64, 80),
        ("nucleo-f746zg", 1024, 320, 216),
        ("microbit-v2", 512, 128, 64),
        ("bluepill", 64, 20, 72),
        ("arduino-uno", 32, 2, 16),
    ],
)
def test_figures_are_those_of_the_data_sheets(name: str, flash_kib: int, ram_kib: int, mhz: int) -> None:
    board = board_of(name)
    assert (board.flash_bytes, board.ram_bytes) == (flash_kib * 1024, ram_kib * 1024)
    assert board.clock_hz == mhz * 1_000_000


def test_every_processor_has_a_board() -> None:
    assert {board.machine.name for board in BOARDS.values()} == set(MACHINES)


def test_packages_know_no_board_that_there_is_not() -> None:
    assert set(platformio.BOARDS) | set(zephyr.BOARDS) | set(esp_idf.CHIPS) <= {"", *BOARDS}


def test_names_do_not_mind_case() -> None:
    assert board_of("Arduino-Uno") is BOARDS["arduino-uno"]


@pytest.mark.parametrize(
    ("name", "meant"), [("nucleo-l432", "nucleo-l432kc"), ("esp32", "esp32"), ("uno", "uno")]
)
def test_what_was_probably_meant_is_said(name: str, meant: str) -> None:
    with pytest.raises(NotFound, match=meant):
        board_of(name)


@pytest.mark.parametrize("name", ["", "\n", "x" * 1000])
def test_an_unknown_board_names_those_there_are(name: str) -> None:
    with pytest.raises(NotFound, match="nucleo-l432kc"):
        board_of(name)
