"""The command line's manners: exit codes, help, suggestions, no stack traces."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bimetal.cli import door, main
from bimetal.cli.command import Command
from bimetal.nouns.errors import BadInput, GateNotMet, NotAllowed, NotFound
from tests.cli.ground import start


def test_help_starts_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["--help"]) == 0
    assert capsys.readouterr().out.startswith("Example: bimetal sample -o plant.csv")


@pytest.mark.parametrize("name", door.COMMANDS)
def test_every_command_shows_an_example_first(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Example")
    assert f"bimetal {name}" in out.splitlines()[0]
    assert "--json" in out


def test_a_wrong_word_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["trian"]) == 2
    assert "Did you mean train?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (BadInput("no rows", where="a.csv", hint="Give it rows"), 1),
        (NotFound("nothing there", where="a.csv"), 4),
        (NotAllowed("wrong key"), 5),
        (GateNotMet("differs"), 3),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 0),
        (RuntimeError("a fault of ours\nwith lines"), 1),
    ],
)
def test_every_ending_is_a_code_and_at_most_a_sentence(
    raised: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise raised

    monkeypatch.delenv("BIMETAL_TRACE", raising=False)
    monkeypatch.setattr(
        door.LazyGroup,
        "get_command",
        lambda *_: Command("doctor", callback=fail, examples=("bimetal doctor",)),
    )
    assert door.run(["doctor"]) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert len(err.strip().splitlines()) <= 1


def test_listing_the_commands_imports_nothing_heavy() -> None:
    script = (
        "import sys; from bimetal.cli import door; door.run(['--help']);"
        "heavy = ('numpy', 'pyarrow', 'wasmtime', 'starlette', 'cryptography');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_hostile_words_in_errors_are_made_printable() -> None:
    text = BadInput("odd \x1b[31m name\nsecond", where="\u202efile").sentence()
    assert text.isprintable()


def test_the_group_is_a_click_group() -> None:
    assert isinstance(door.bimetal, click.Group)


def test_an_interruption_while_starting_is_one_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(door, "run", interrupt)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert (ended.value.code, capsys.readouterr().err) == (130, "Interrupted.\n")


def test_a_terminal_that_lacks_a_letter_is_no_failure() -> None:
    with start("doctor", env={**os.environ, "PYTHONIOENCODING": "iso8859-1"}) as child:
        out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (0, b"")
    assert rb"\u2713 Python" in out


@pytest.mark.parametrize("words", [["--help"], ["doctor"], ["train", "--help"]])
def test_a_full_output_is_said(words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which this system lacks")
    with Path("/dev/full").open("wb") as full, start(*words, stdout=full) as child:
        _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert err.decode().startswith("standard output: ")
    assert len(err.decode().splitlines()) == 1
