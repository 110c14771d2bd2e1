"""Models that are none, damaged, too new, or signed by a stranger: each command says so in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bimetal.bundle.seal import read, write
from bimetal.trust.key import KeyFolder
from tests.cli.ground import call


def hostile_models(quiet: Path) -> Iterator[tuple[bytes, int, str]]:
    """Model files that are none, with the exit code and the words they are refused with."""
    whole = (quiet / "quiet.bm").read_bytes()
    make = "this is not a bimetal model. Make one with: bimetal train DATA -o MODEL."
    yield b"", 1, "this is not a bimetal model: the file is empty. Make one with"
    yield b"time,a\n1,2\n", 1, make
    yield whole[:50], 1, "the model file is truncated or has bytes to spare. Copy it again."
    yield whole[:-1], 1, "the model file is truncated or has bytes to spare. Copy it again."
    yield whole + b"\n", 1, "the model file is truncated or has bytes to spare. Copy it again."
    yield b"BIMETAL\x02" + whole[8:], 1, "the model was made by a newer bimetal. Upgrade bimetal."
    for at in (20, 60, 200, len(whole) - 40):
        flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        yield (
            flipped,
            5,
            "the signature does not fit the content. The file was changed or damaged: get it again.",
        )


@pytest.mark.parametrize("command", ["run", "show", "verify", "build"])
def test_a_model_that_is_none_is_refused_in_a_sentence(command: str, quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.bm"
    rest = {"run": [quiet / "quiet.csv"], "build": ["-o", tmp_path / "c"]}.get(command, [])
    for content, code, says in hostile_models(quiet):
        path.write_bytes(content)
        sentence = call(command, path, *rest).sentence(code)
        assert sentence.startswith(f"{path}: {says}")
    path.unlink()
    path.mkdir()
    assert "the model cannot be read: Is a directory" in call(command, path, *rest).sentence(1)
    assert [p.name for p in tmp_path.iterdir()] == ["m.bm"]


@pytest.mark.parametrize("command", ["run", "show", "verify", "build"])
def test_a_stranger_s_signature_is_told_on_standard_error(command: str, quiet: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.bm"
    write(path, read(quiet / "quiet.bm").bundle, KeyFolder(tmp_path / "stranger").signing_key())
    rest = {"run": [quiet / "quiet.csv"], "build": ["-o", tmp_path / "c"]}.get(command, [])
    ended = call(command, path, *rest)
    assert ended.code == 0
    told = ended.err.splitlines()[0]
    assert re.fullmatch(
        r"Note: .*m\.bm is whole, but signed with a key not known here \([0-9a-f]{16}\): "
        r"use it only if you know where it is from\. To take it as known: bimetal trust NAME .*m\.bm\.",
        told,
    )
