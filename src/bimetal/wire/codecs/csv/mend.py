"""Mend: rows with too many or too few cells are made to fit, so that every row stays a row."""

from __future__ import annotations

from bimetal.wire.table.dialect import split_line


def needs_mending(chunk: bytes) -> bool:
    """Whether a line of the chunk has a quote that is not closed in it."""
    return b'"' in chunk and any(line.count(b'"') % 2 for line in chunk.split(b"\n"))


def mend_rows(chunk: bytes, separator: str, width: int) -> tuple[bytes, int]:
    """Return the chunk with `width` cells in every row, and how many rows were changed.

    A short row lacks its last cells. Of a row that is too long nothing can be trusted but
    its first cell, unless what is too much is empty. Lines of blanks are left out.
    """
    mark = separator.encode()
    mended = 0
    lines: list[bytes] = []
    for line in chunk.split(b"\n"):
        if not line.strip():
            continue
        if b'"' not in line and line.count(mark) == width - 1:
            lines.append(line)
            continue
        fitted, changed = _fit(line.decode("utf-8", "replace"), separator, width)
        mended += changed
        lines.append(fitted.encode())
    return b"\n".join(lines) + b"\n", mended


def _fit(line: str, separator: str, width: int) -> tuple[str, bool]:
    open_quote = line.count('"') % 2 == 1
    cells = split_line(line.replace('"', "") if open_quote else line, separator)
    if len(cells) > width and any(c.strip() for c in cells[width:]):
        fitted = [cells[0], *[""] * (width - 1)]
    else:
        fitted = [*cells[:width], *[""] * (width - len(cells))]
    changed = fitted != cells[: len(fitted)] or len(cells) < width
    return separator.join(_quoted(c, separator) for c in fitted), changed


def _quoted(cell: str, separator: str) -> str:
    bare = cell.replace("\r", "")
    if separator not in bare and '"' not in bare:
        return bare
    doubled = bare.replace('"', '""')
    return f'"{doubled}"'
