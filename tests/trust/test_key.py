"""Signing keys: made once, kept private, checked by purpose."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput, NotAllowed, NotFound
from bimetal.trust.key import KeyFolder, check_signature, fingerprint, public_key


def test_the_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "home")
    first = folder.signing_key()
    assert folder.signing_key().public == first.public
    mode = stat.S_IMODE((tmp_path / "home" / "signing.key").stat().st_mode)
    assert mode == 0o600
    assert len(fingerprint(first.public)) == 16


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(KeyFolder(tmp_path).signing_key().public))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["signing.key"]


def test_a_signature_holds_for_its_purpose_and_content_only(tmp_path: Path) -> None:
    key = KeyFolder(tmp_path / "a").signing_key()
    other = KeyFolder(tmp_path / "b").signing_key()
    signature = key.sign(b"bundle", b"content")
    check_signature(key.public, signature, b"bundle", b"content")
    wrong = [
        (key.public, signature, b"bundl", b"econtent"),
        (key.public, signature, b"bundle", b"Content"),
        (other.public, signature, b"bundle", b"content"),
        (key.public, signature[:-1], b"bundle", b"content"),
        (key.public, bytes(64), b"bundle", b"content"),
        (b"short", signature, b"bundle", b"content"),
    ]
    for case in wrong:
        with pytest.raises(NotAllowed, match="signature"):
            check_signature(*case)


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_file_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "signing.key").write_bytes(content)
    with pytest.raises(BadInput, match="not a signing key"):
        KeyFolder(tmp_path).signing_key()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="BIMETAL_HOME"):
        KeyFolder(tmp_path / "file" / "home").signing_key()


def test_trusted_keys_have_names(tmp_path: Path) -> None:
    here, there = KeyFolder(tmp_path / "here"), KeyFolder(tmp_path / "there")
    public = there.signing_key().public
    assert here.name_of(public) == ""
    here.trust("plant", public)
    assert here.name_of(public) == "plant"
    assert here.name_of(here.signing_key().public) == "this installation"
    for name in ("../x", "", "a b"):
        with pytest.raises(BadInput):
            here.trust(name, public)
    assert not os.path.exists(tmp_path / "x.pub")


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 31, "ab" * 33, "a" * 63, "\0" * 64, "é" * 64])
def test_what_is_no_public_key_is_refused_where_it_stands(text: str) -> None:
    with pytest.raises(BadInput, match="this is not a public key") as caught:
        public_key(text, "keys/other.pub")
    assert caught.value.sentence().startswith("keys/other.pub: ")


def test_a_public_key_may_have_white_space_around_it() -> None:
    assert public_key(f"  {'AB' * 32}\r\n", "") == b"\xab" * 32


def test_a_name_never_stands_for_another_key_unsaid(tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path)
    keys.trust("ours", b"a" * 32)
    keys.trust("ours", b"a" * 32)
    with pytest.raises(BadInput, match="ours stands for another key"):
        keys.trust("ours", b"b" * 32)
    assert keys.trusted()["ours"] == b"a" * 32
    keys.distrust("ours")
    keys.trust("ours", b"b" * 32)
    assert keys.trusted()["ours"] == b"b" * 32


@pytest.mark.parametrize("name", ["absent", "../signing", "", "a/b", "a" * 65])
def test_a_name_that_no_key_has_is_not_found_and_removes_nothing(name: str, tmp_path: Path) -> None:
    keys = KeyFolder(tmp_path)
    keys.signing_key()
    keys.trust("ours", b"a" * 32)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NotFound, match="no trusted key has the name"):
        keys.distrust(name)
    assert sorted(tmp_path.rglob("*")) == before
