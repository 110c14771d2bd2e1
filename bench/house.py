"""The house in figures: lines per room, tests to code, long bodies. Run: python bench/house.py [--json]."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "bimetal"
LONG_BODY = 30


@dataclass(frozen=True, slots=True)
class Body:
    """A function's body: where it is, and its lines from the first statement after the docstring."""

    where: str
    lines: int


@dataclass(frozen=True, slots=True)
class House:
    """What the closing note prints."""

    rooms: dict[str, int]
    package_lines: int
    test_lines: int
    tests_to_code: float
    files: int
    longest_file: int
    bodies: int
    share_over_30: float
    longest_body: int
    tests: int | None


def python_files(*folders: Path) -> list[Path]:
    """Every Python file below the folders, in order, caches left out."""
    return sorted(f for folder in folders for f in folder.rglob("*.py") if "__pycache__" not in f.parts)


def lines(file: Path) -> int:
    """Lines of a file, blank ones included."""
    return len(file.read_text(encoding="utf-8").splitlines())


def bodies(file: Path) -> Iterator[Body]:
    """Every function of a file; one inside another counts for itself and for the outer one."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            count = (said[-1].end_lineno or 0) - said[0].lineno + 1 if said else 0
            yield Body(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", count)


def measure(*, collect: bool = True) -> House:
    """Measure the tree as it lies here; `collect` asks pytest how many tests there are."""
    files = python_files(PACKAGE)
    rooms: dict[str, int] = {}
    for file in files:
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        rooms[room] = rooms.get(room, 0) + lines(file)
    code = sum(rooms.values())
    tests = sum(map(lines, python_files(ROOT / "tests")))
    found = [body.lines for file in files for body in bodies(file)]
    return House(
        rooms=dict(sorted(rooms.items())),
        package_lines=code,
        test_lines=tests,
        tests_to_code=round(tests / code, 2),
        files=len(files),
        longest_file=max(map(lines, files)),
        bodies=len(found),
        share_over_30=round(sum(n > LONG_BODY for n in found) / len(found), 4),
        longest_body=max(found),
        tests=_collected() if collect else None,
    )


def _collected() -> int | None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)(?:/\d+)? tests? collected", said)
    return int(found[1]) if found else None


def main() -> None:
    """Print the figures, as a table or as JSON."""
    house = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(asdict(house)))
        return
    for room, count in house.rooms.items():
        print(f"{room:<12} {count:>7,} lines")
    print(
        f"{'package':<12} {house.package_lines:>7,} lines, {house.files} files, longest {house.longest_file}"
    )
    print(f"{'tests':<12} {house.test_lines:>7,} lines, {house.tests_to_code:.2f} per line of the package")
    print(
        f"{'bodies':<12} {house.bodies:>7,}, {house.share_over_30:.1%} over 30, longest {house.longest_body}"
    )
    print(f"{'tests':<12} {house.tests if house.tests is not None else 'not countable: pytest is absent'}")


if __name__ == "__main__":
    main()
