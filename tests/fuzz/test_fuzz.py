"""A short run over every decoder: of a few hundred hurt inputs comes a result, or a refusal in words."""

from __future__ import annotations

import itertools
import warnings

import pytest

from tests.fuzz.decoder import Decoder
from tests.fuzz.inside import INSIDE
from tests.fuzz.mutate import mutations
from tests.fuzz.outside import OUTSIDE

DECODERS = INSIDE | OUTSIDE
TRIES = 250


def tried(decoder: Decoder, tries: int) -> None:
    """Read so many hurt inputs."""
    for content in itertools.islice(mutations(decoder.seeds(), seed=1), tries):
        decoder.survives(content)


@pytest.mark.parametrize("name", DECODERS)
def test_hurt_bytes_are_read_or_refused(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        tried(DECODERS[name], TRIES)


@pytest.mark.parametrize("name", DECODERS)
def test_what_is_whole_is_read(name: str) -> None:
    for content in DECODERS[name].seeds():
        DECODERS[name].read(content)


def test_a_decoder_that_fails_is_found_out() -> None:
    with pytest.raises(UnicodeDecodeError):
        tried(Decoder(lambda content: content.decode(), lambda: [b"\xc3\xa9" * 20]), 50)


def test_mutations_are_the_same_for_the_same_seed() -> None:
    first, again = (list(itertools.islice(mutations([b"abc", b"def"], 7), 100)) for _ in range(2))
    assert first == again
    assert len(set(first)) > 60
