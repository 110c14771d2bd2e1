"""Encoding: whether bytes are text, and in which encoding."""

from __future__ import annotations

import codecs

import numpy as np

from bimetal.nouns.errors import BadInput

GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks with the encoding each announces, longest first where one begins another."""

_TEXT_HINT = "Give a CSV or Parquet file"
_FOREIGN: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or export the sheet as CSV"),
    (b"PK\x05\x06", "an empty zip archive", _TEXT_HINT),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Export the sheet as CSV"),
    (b"\x89PNG", "a picture", _TEXT_HINT),
    (b"\xff\xd8\xff", "a picture", _TEXT_HINT),
    (b"GIF8", "a picture", _TEXT_HINT),
    (b"%PDF", "a PDF document", "Export the table as CSV"),
    (b"\x7fELF", "a program", _TEXT_HINT),
    (b"\x89HDF", "an HDF5 file", "Export the table as CSV or Parquet"),
    (b"CDF\x01", "a NetCDF file", "Export the table as CSV or Parquet"),
    (b"MATLAB 5.0", "a MATLAB file", "Export the table as CSV"),
    (b"\x93NUMPY", "a NumPy array", "Save it as CSV or Parquet"),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV"),
    (b"ARROW1", "an Arrow file", "Save it as Parquet"),
    (b"ORC", "an ORC file", "Save it as Parquet"),
    (b"Obj\x01", "an Avro file", "Save it as Parquet"),
    (b"BZh", "compressed with bzip2", "Unpack it first"),
    (b"\xfd7zXZ", "compressed with xz", "Unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it first"),
    (b"\xd4\xc3\xb2\xa1", "a network capture", _TEXT_HINT),
    (b"\x0a\x0d\x0d\x0a", "a network capture", _TEXT_HINT),
    (b"\x00asm", "a WebAssembly module", _TEXT_HINT),
    (b"BIMETAL", "a bimetal model", "Name the data; a model is run with: bimetal run MODEL DATA"),
    (b"<!DOCTYPE", "a web page", "Download the data itself"),
    (b"<html", "a web page", "Download the data itself"),
    (b"<?xml", "an XML document", "Export the table as CSV"),
)


def refuse_foreign(head: bytes, where: str) -> None:
    """Raise BadInput when a file's first bytes say that it holds no text and no Parquet."""
    for magic, what, hint in _FOREIGN:
        if head.startswith(magic):
            raise BadInput(f"this is {what}, not a table", where=where, hint=hint)
    if head[257:262] == b"ustar":
        raise BadInput("this is a tar archive, not a table", where=where, hint="Unpack it first")
    first = head.lstrip()[:1]
    if first in (b"{", b"[") and head.lstrip()[1:].lstrip()[:1] in (b'"', b"{", b"[", b"}"):
        raise BadInput(
            "this is JSON, not a table", where=where, hint="Convert it to CSV, one row per instant"
        )


def find_encoding(head: bytes, where: str, *, whole: bool = False) -> tuple[str, int]:
    """Return (encoding, bytes of its byte order mark) of a file's first bytes.

    `whole` says that `head` is the whole file. Bytes that are no UTF-8 are taken for
    Windows-1252. Raises BadInput when the bytes are not text.
    """
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    zeros = _zeros(head)
    if zeros is not None:
        return zeros, 0
    if head.count(0) > max(8, len(head) // 20):
        raise BadInput(
            "this is not text: it holds zero bytes", where=where, hint="Give a CSV or Parquet file"
        )
    control = len(head) - len(head.translate(None, _CONTROLS))
    if control > len(head) // 100:
        raise BadInput("this is binary data, not text", where=where, hint="Give a CSV or Parquet file")
    return ("utf-8" if _is_utf8(head, whole=whole) else "cp1252"), 0


def _zeros(head: bytes) -> str | None:
    """Name the UTF-16 that every second byte being zero points to."""
    pairs = np.frombuffer(head[: len(head) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    if len(pairs) < 2:
        return None
    first, second = (pairs == 0).mean(axis=0)
    if second > 0.6 and first < 0.05:
        return "utf-16-le"
    return "utf-16-be" if first > 0.6 and second < 0.05 else None


def _is_utf8(head: bytes, *, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head, final=whole)
    except UnicodeDecodeError:
        return False
    return True


_CONTROLS = bytes(c for c in range(32) if c not in (9, 10, 11, 12, 13, 26, 27))
