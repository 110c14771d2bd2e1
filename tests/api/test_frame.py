"""The binary layout, byte by byte, and the page's own reader against it."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bimetal.api.frame import Block, Content, encode

WEB = Path(__file__).parents[2] / "web"
READER = """
import { decode } from "./frame.js";
const bytes = Buffer.from(process.argv[1], "hex");
const frame = (length) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + length);
const { sequence, blocks } = decode(frame(bytes.length));
let refused = 0;
for (let n = 0; n < bytes.length; n++) {
  try { decode(frame(n)); } catch (error) { if (error instanceof RangeError) refused++; }
}
const flat = blocks.map((b) => ({ ...b, offset: [...b.offset], values: [...b.values].map(String) }));
console.log(JSON.stringify({ sequence, blocks: flat, refused }));
"""


def block(**more: object) -> Block:
    time_ns = np.array([1_700_000_000_123_000_000, 1_700_000_000_623_000_000], np.int64)
    values = np.array([[1.5, np.nan, -2.0], [2.5, 1e300, 0.25]])
    return Block(Content.READINGS, 3, time_ns, values, **more)


def test_the_layout_is_the_one_written_down() -> None:
    frame = encode([block(first=1, replace=True)], 7)
    assert struct.unpack_from("<2sBBIII", frame) == (b"bm", 1, 0, 1, 7, 0)
    assert struct.unpack_from("<BBHHHIId", frame, 16) == (1, 1, 1, 3, 0, 3, 2, 1_700_000_000_123.0)
    assert struct.unpack_from("<2f", frame, 40) == (0.0, 500.0)
    numbers = struct.unpack_from("<6f", frame, 48)
    assert numbers[:2] == (1.5, 2.5)
    assert np.isnan(numbers[2])
    assert numbers[3:] == (float("inf"), -2.0, 0.25)
    assert len(frame) == 16 + 24 + 8 + 24


def test_every_part_is_a_multiple_of_four_bytes() -> None:
    for rows in range(4):
        one = Block(Content.SCORES, 0, np.arange(rows, dtype=np.int64), np.zeros((rows, 1)))
        assert len(encode([one], 0)) % 4 == 0


def test_an_empty_frame_and_an_empty_block_are_frames() -> None:
    assert len(encode([], 0)) == 16
    empty = Block(Content.SCORES, 0, np.empty(0, np.int64), np.empty((0, 1)))
    assert len(encode([empty], 2**40)) == 40


def test_times_are_kept_to_a_microsecond_over_a_second() -> None:
    time_ns = 1_700_000_000 * 10**9 + np.arange(0, 10**9, 1_237_000, dtype=np.int64)
    frame = encode([Block(Content.READINGS, 0, time_ns, np.zeros((len(time_ns), 1)))], 0)
    origin = struct.unpack_from("<d", frame, 32)[0]
    offset = np.frombuffer(frame, "<f4", len(time_ns), 40).astype(float)
    assert np.abs((origin + offset) * 1e6 - time_ns).max() < 1000


@pytest.mark.needs("node")
def test_the_page_reads_what_is_written_and_refuses_what_is_cut_short() -> None:
    score = Block(Content.SCORES, 0, np.array([5_000_000], np.int64), np.array([[0.5]]))
    frame = encode([block(), score], 9)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", READER, frame.hex()],
        cwd=WEB,
        capture_output=True,
        text=True,
        check=True,
    )
    read = json.loads(done.stdout)
    first, second = read["blocks"]
    assert read["sequence"] == 9
    assert (first["content"], first["device"], first["rows"], first["columns"]) == (1, 3, 2, 3)
    assert first["origin"] == 1_700_000_000_123
    assert first["offset"] == [0, 500]
    assert first["values"] == ["1.5", "2.5", "NaN", "Infinity", "-2", "0.25"]
    assert (second["content"], second["origin"], second["values"]) == (2, 5, ["0.5"])
    assert read["refused"] == len(frame)


@pytest.mark.needs("node")
@pytest.mark.parametrize("foreign", ["", "00" * 16, "626d0200" + "00" * 12, "626d0100ffffffff" + "00" * 8])
def test_the_page_refuses_what_is_no_frame(foreign: str) -> None:
    program = READER.replace("process.argv[1]", json.dumps(foreign))
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], cwd=WEB, capture_output=True, text=True, check=False
    )
    assert "RangeError" in done.stderr
