"""Coverage, room by room: what `make coverage` prints. Run: python -m tests.coverage [DATA-FILE]."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ROOM_AFTER = "bimetal"
FEWEST_LINES = 20
LEAST_COVERED = 15
"""So many files are named, of those with at least FEWEST_LINES statements."""


@dataclass(frozen=True, slots=True)
class Part:
    """Statements of a file or a room, and how many of them ran."""

    name: str
    statements: int
    ran: int

    @property
    def share(self) -> float:
        """Which share ran; all of nothing is 1."""
        return self.ran / self.statements if self.statements else 1.0


def files_of(report: Mapping[str, Any]) -> list[Part]:
    """Return every file of a report of `coverage json`, named from the package on."""
    found: list[Part] = []
    for path, file in report["files"].items():
        parts = PurePosixPath(path.replace("\\", "/")).parts
        last = len(parts) - 1 - parts[::-1].index(ROOM_AFTER)
        total = file["summary"]
        found.append(Part("/".join(parts[last + 1 :]), total["num_statements"], total["covered_lines"]))
    return sorted(found, key=lambda f: f.name)


def rooms_of(files: list[Part]) -> list[Part]:
    """Add files up by room; a file beside the rooms is a room of its own."""
    rooms: dict[str, Part] = {}
    for file in files:
        name = file.name.split("/")[0].removesuffix(".py")
        known = rooms.get(name, Part(name, 0, 0))
        rooms[name] = Part(name, known.statements + file.statements, known.ran + file.ran)
    return list(rooms.values())


def lines_of(files: list[Part]) -> list[str]:
    """Return the table: rooms, the whole, and the files of which least ran."""
    whole = Part("all", sum(f.statements for f in files), sum(f.ran for f in files))
    told = [f"{p.name:<12} {p.share:>6.1%} of {p.statements:>6,}" for p in [*rooms_of(files), whole]]
    least = sorted((f for f in files if f.statements >= FEWEST_LINES), key=lambda f: f.share)
    worst = [f"{p.share:>6.1%} of {p.statements:>5,}  {p.name}" for p in least[:LEAST_COVERED]]
    return [*told, "", "Least covered:", *worst]


def main(words: list[str]) -> None:
    """Print the table of a data file of coverage."""
    data = Path(words[0] if words else ".coverage").resolve()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            sys.executable,
            "-m",
            "coverage",
            "json",
            "-q",
            "-i",
            f"--data-file={data}",
            "-o",
            str(report),
        ]
        subprocess.run(command, check=True)
        print("\n".join(lines_of(files_of(json.loads(report.read_text(encoding="utf-8"))))))


if __name__ == "__main__":
    main(sys.argv[1:])
