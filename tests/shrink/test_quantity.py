"""Sizes as people write them, strictly: nothing is guessed."""

from __future__ import annotations

import pytest

from bimetal.nouns.errors import BadInput
from bimetal.shrink.quantity import MOST, parse_bytes, parse_count


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("32KiB", 32768), ("8k", 8000), ("8kB", 8000), ("512", 512), ("1MiB", 1 << 20), ("1.5KiB", 1536),
        (" 2 MB ", 2_000_000), ("1B", 1), ("0.5k", 500), ("007", 7),
    ],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text, "--flash") == size


@pytest.mark.parametrize(
    ("text", "count"), [("500k", 500_000), ("1M", 1_000_000), ("2.5M", 2_500_000), ("7", 7)]
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text, "--instructions") == count


@pytest.mark.parametrize(
    "text",
    ["", " ", "0", "-1", "-8k", "0KiB", "8K", "8KB", "8kib", "1e3", "0x10", "8 k B", "k", "1.2.3", "1.0001k",
     "٣k", "8k\n9", "nan", "inf", "1,000", "½k", "8µ", "9" * 400, f"{MOST + 1}", "1 000", "+8k", "8k;"],
)  # fmt: skip
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_bytes(text, "--ram")
    assert caught.value.sentence().startswith("--ram: ")
    assert len(caught.value.sentence()) < 150


@pytest.mark.parametrize("text", ["8K", "8KB"])
def test_a_letter_that_means_two_things_is_explained(text: str) -> None:
    with pytest.raises(BadInput, match="KiB is 1024"):
        parse_bytes(text, "--flash")


def test_bytes_are_no_unit_of_counts() -> None:
    with pytest.raises(BadInput):
        parse_count("8KiB", "--instructions")
