"""Whose models are taken here: keys trusted by a model, by their digits and by a file, and no longer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bimetal.bundle.seal import read, write
from bimetal.trust.key import KeyFolder
from tests.cli.ground import call


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of keys of its own."""
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def foreign(quiet: Path, tmp_path: Path) -> Path:
    """A model signed by somebody else."""
    path = tmp_path / "foreign.bm"
    write(path, read(quiet / "quiet.bm").bundle, KeyFolder(tmp_path / "elsewhere").signing_key())
    return path


def trusted() -> dict[str, str]:
    """The keys trusted here, as the command tells them."""
    return json.loads(call("trust", "--json").out)["trusted"]


def test_own_key_is_printed_to_be_given_to_others(home: Path) -> None:
    told = json.loads(call("trust", "--json").out)
    assert bytes.fromhex(told["own"]) == KeyFolder(home).signing_key().public
    assert told["trusted"] == {}
    assert call("trust").out == f"{told['own']}  this installation\n"


@pytest.mark.usefixtures("home")
def test_a_model_s_key_is_trusted_and_no_longer(foreign: Path) -> None:
    assert "signed with a key not known here" in call("show", foreign).err
    said = call("trust", "maria", foreign)
    assert said.code == 0
    assert said.out.splitlines()[1] == f"{read(foreign).signer.hex()}  maria"
    assert call("show", foreign).err == ""
    assert call("trust", "maria", "--remove").code == 0
    assert trusted() == {}
    assert "signed with a key not known here" in call("show", foreign).err


@pytest.mark.usefixtures("home")
def test_a_key_is_taken_by_its_digits_and_by_a_file(foreign: Path, tmp_path: Path) -> None:
    digits = read(foreign).signer.hex()
    (tmp_path / "maria.pub").write_text(f"{digits}\n")
    assert call("trust", "by-digits", digits.upper()).code == 0
    assert call("trust", "by-file", tmp_path / "maria.pub").code == 0
    assert trusted() == {"by-digits": digits, "by-file": digits}


@pytest.mark.usefixtures("home")
def test_a_name_never_changes_its_key_unsaid(foreign: Path) -> None:
    call("trust", "maria", foreign)
    assert call("trust", "maria", foreign).code == 0, "the same again is no matter"
    assert "maria stands for another key" in call("trust", "maria", "ab" * 32).sentence(1)
    assert trusted() == {"maria": read(foreign).signer.hex()}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("key", ["", "ab", "zz" * 32, "ab" * 33, "no-such-file", "\u202e" * 64])
def test_what_is_no_key_is_refused(key: str) -> None:
    assert "this is not a public key" in call("trust", "maria", key).sentence(1)
    assert trusted() == {}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", ["../x", "a b", "", "-", "a/b", "ä", "a" * 65])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert "is not a named public key" in call("trust", "--", name, "ab" * 32).sentence(1)
    assert "no trusted key has the name" in call("trust", "--remove", "--", name).sentence(4)


def test_a_damaged_model_s_key_is_not_trusted(home: Path, foreign: Path) -> None:
    foreign.write_bytes(foreign.read_bytes()[:-1] + b"?")
    assert "the signature does not fit" in call("trust", "maria", foreign).sentence(5)
    assert not (home / "trusted").exists()


@pytest.mark.usefixtures("home")
def test_half_a_wish_is_told() -> None:
    assert "Name the model, or the key, of 'maria' too." in call("trust", "maria").err
    assert "--remove takes a name alone." in call("trust", "maria", "ab" * 32, "--remove").err
    assert call("trust", "maria").code == 2


def test_a_damaged_key_file_is_told(home: Path, foreign: Path) -> None:
    (home / "trusted").mkdir(parents=True)
    (home / "trusted" / "broken.pub").write_text("half a k")
    assert "broken.pub: this is not a public key" in call("show", foreign).sentence(1)
