"""The sealed bundle: signed before parsed, whole or not at all, hostile files in one sentence."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.bundle.bundle import FLEET, Bundle
from bimetal.bundle.seal import HEAD_BYTES, MAGIC, PURPOSE, read, seal, unseal, write
from bimetal.nouns.errors import BadInput, Error, NotAllowed, NotFound
from bimetal.program import letter
from bimetal.program.block import pack
from bimetal.program.digest import digest
from bimetal.program.program import Draft
from bimetal.trust.key import KeyFolder, SigningKey


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return KeyFolder(tmp_path_factory.mktemp("keys")).signing_key()


def small(alpha: float = 0.25) -> Bundle:
    draft = Draft("smooth")
    x = draft.input("x")
    mean = draft.state("mean", 0.0)
    weight = draft.param("alpha", alpha, low=0.0, high=1.0)
    now = letter.add(mean, letter.mul(letter.sub(x, mean), weight))
    draft.set(mean, now)
    draft.output("y", now)
    program = draft.finish()
    return Bundle(
        program=program,
        blocks={FLEET: pack(program, draft.values), "pump": pack(program, {"alpha": 0.5})},
        card={"purpose": "smoothing", "signals": ["x"]},
        vectors={"runs": [b"\x00\x01"]},
        wasm=b"\0asm",
        made_ns=1,
        made_by="0.1.0",
    )


def test_what_is_written_is_read(tmp_path: Path, key: SigningKey) -> None:
    path = tmp_path / "model"
    size = write(path, small(), key)
    sealed = read(path)
    assert size == path.stat().st_size
    assert sealed.signer == key.public
    assert digest(sealed.bundle.program) == digest(small().program)
    assert sealed.bundle.block_of("pump") == small().blocks["pump"]
    assert sealed.bundle.block_of("stranger") == small().blocks[FLEET]
    assert sealed.bundle.card == small().card
    with pytest.raises(NotFound, match="pump"):
        sealed.bundle.known_block("stranger")
    assert os.listdir(tmp_path) == ["model"]


def test_equal_bundles_give_equal_bytes(key: SigningKey) -> None:
    assert seal(small(), key) == seal(small(), key)
    assert seal(small(), key) != seal(small(0.125), key)


@settings(max_examples=60)
@given(st.data())
def test_no_changed_byte_gets_through(key: SigningKey, data: st.DataObject) -> None:
    content = bytearray(seal(small(), key))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Error):
        unseal(bytes(content))


@settings(max_examples=60)
@given(st.data())
def test_no_truncated_or_longer_file_gets_through(key: SigningKey, data: st.DataObject) -> None:
    content = seal(small(), key)
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(BadInput):
        unseal(content[:cut])
    with pytest.raises(BadInput, match="spare"):
        unseal(content + b"x")


@given(st.binary(max_size=300).filter(lambda content: not content.startswith(b"BIMETAL")))
def test_foreign_bytes_are_no_model(content: bytes) -> None:
    with pytest.raises(BadInput, match="not a bimetal model"):
        unseal(content)


def signed(content: object, key: SigningKey) -> bytes:
    raw = content if isinstance(content, bytes) else cbor2.dumps(content, canonical=True)
    length = len(raw).to_bytes(8, "little")
    return MAGIC + key.public + key.sign(PURPOSE, length + raw) + length + raw


def test_a_signed_but_malformed_content_is_refused(key: SigningKey) -> None:
    good = cbor2.loads(seal(small(), key)[HEAD_BYTES:])
    other = small()
    draft = Draft("other")
    draft.output("y", draft.input("z"))
    cases: list[object] = [
        b"",
        b"\xff\xff",
        b"\x9f" * 100_000,
        [],
        {},
        {**good, "extra": 1},
        {**good, "program": "text"},
        {**good, "blocks": {}},
        {**good, "blocks": {FLEET: 3}},
        {**good, "blocks": {FLEET: b"BMP1"}},
        {**good, "digest": bytes(16)},
        {**good, "program": b"\x00"},
        {**good, "made_ns": "now"},
    ]
    for case in cases:
        with pytest.raises(Error) as caught:
            unseal(signed(case, key))
        assert caught.value.exit_code in (1, 5)
    assert unseal(signed(good, key)).bundle.card == other.card


def test_another_purpose_does_not_sign_a_bundle(key: SigningKey) -> None:
    raw = seal(small(), key)[HEAD_BYTES:]
    length = len(raw).to_bytes(8, "little")
    forged = MAGIC + key.public + key.sign(b"receipt", length + raw) + length + raw
    with pytest.raises(NotAllowed):
        unseal(forged)


def test_a_missing_model_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="bimetal train"):
        read(tmp_path / "none")
    with pytest.raises(BadInput, match="cannot be read"):
        read(tmp_path)


def test_a_model_of_a_newer_format_is_said(key: SigningKey) -> None:
    with pytest.raises(BadInput, match="newer"):
        unseal(b"BIMETAL\x02" + seal(small(), key)[8:])


def test_nothing_is_left_when_writing_fails(tmp_path: Path, key: SigningKey) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        write(tmp_path / "model", replace(small(), card={}), key)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    with pytest.raises(BadInput, match="cannot be written"):
        write(tmp_path / "absent" / "model", small(), key)


def test_a_bundle_names_whom_its_parameters_or_its_card_name() -> None:
    bundle = replace(small(), blocks={FLEET: b"", "pump-1": b""}, card={"labels": [{"device": "fan"}]})
    assert [name for name in ("pump-1", "fan", "pump", "device", "nobody") if bundle.names(name)] == [
        "pump-1",
        "fan",
        "device",
    ]
