"""Tokens: only their digest is kept, and only the right one opens."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from bimetal.trust.identify import Claim, Identity, anybody, by_token
from bimetal.trust.token import TokenFile


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    """A file that is not there yet."""
    return TokenFile(tmp_path / "trust" / "tokens.json")


def test_a_token_opens_for_its_device_alone(tokens: TokenFile) -> None:
    one, other = tokens.make("pump-1", secrets.token_bytes), tokens.make("pump-2", secrets.token_bytes)
    assert one != other
    assert len(bytes.fromhex(one)) == 32
    assert tokens.fits("pump-1", one.encode())
    assert not tokens.fits("pump-2", one.encode())
    assert not tokens.fits("pump-3", one.encode())
    assert not tokens.fits("pump-1", b"")
    assert not tokens.fits("pump-3", b"")
    assert tokens.devices == ("pump-1", "pump-2")


def test_the_file_holds_no_token_and_is_for_its_owner_alone(tokens: TokenFile) -> None:
    token = tokens.make("pump-1", secrets.token_bytes)
    content = tokens.path.read_text()
    assert token not in content
    assert sha256(token.encode()).hexdigest() in content
    if os.name == "posix":
        assert tokens.path.stat().st_mode & 0o077 == 0


def test_a_new_token_replaces_the_old_and_counts_at_once_elsewhere(tokens: TokenFile) -> None:
    old = tokens.make("pump-1", secrets.token_bytes)
    elsewhere = TokenFile(tokens.path)
    new = tokens.make("pump-1", secrets.token_bytes)
    assert elsewhere.fits("pump-1", new.encode())
    assert not elsewhere.fits("pump-1", old.encode())
    tokens.revoke("pump-1")
    assert not elsewhere.fits("pump-1", new.encode())
    with pytest.raises(NotFound):
        tokens.revoke("pump-1")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": 1}', b'{"devices": 3}', b"\xff\xfe"])
def test_a_file_that_is_none_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokens.json").write_bytes(content)
    with pytest.raises(BadInput, match=r"tokens\.json"):
        TokenFile(tmp_path / "tokens.json")


@pytest.mark.parametrize("device", ["", "a/b", "x" * 200, "\x1b"])
def test_a_device_that_cannot_be_gets_none(tokens: TokenFile, device: str) -> None:
    with pytest.raises(BadInput):
        tokens.make(device, secrets.token_bytes)
    assert not tokens.path.exists()


def test_identity_comes_from_the_token(tokens: TokenFile) -> None:
    token = tokens.make("pump-1", secrets.token_bytes)
    identify = by_token(tokens)
    assert identify(Claim("pump-1", token.encode())) == Identity("pump-1")
    for claim in (Claim("pump-2", token.encode()), Claim("pump-1", b"guess"), Claim("", b"")):
        with pytest.raises(NotAllowed):
            identify(claim)
    assert Identity("pump-1").may_speak_for("pump-1")
    assert not Identity("pump-1").may_speak_for("pump-2")


def test_in_a_laboratory_anybody_speaks_for_anything() -> None:
    assert anybody(Claim("x", b"")).may_speak_for("pump-7")


def test_an_erased_device_has_no_token_and_leaves_no_file(tokens: TokenFile) -> None:
    tokens.make("pump-1", secrets.token_bytes)
    tokens.make("pump-2", secrets.token_bytes)
    (tokens.path.parent / ".tokens-x1").write_text('{"devices": {"pump-1": ""}}')
    assert tokens.erase("pump-1") == 1
    assert tokens.erase("pump-1") == 0
    assert tokens.devices == ("pump-2",)
    assert [p.name for p in tokens.path.parent.iterdir()] == ["tokens.json"]


def test_erasing_where_nobody_has_a_token_makes_no_file(tokens: TokenFile) -> None:
    assert tokens.erase("pump-1") == 0
    assert not tokens.path.exists()
