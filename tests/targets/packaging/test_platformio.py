"""The PlatformIO library, built with PlatformIO itself and run on this computer: make boards."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.targets.packaging.given import written

pytestmark = [pytest.mark.slow, pytest.mark.needs("pio")]


@pytest.fixture(scope="module")
def platforms() -> set[str]:
    """Return the platforms that PlatformIO has here; it is not asked to fetch any."""
    listed = pio(Path.cwd(), "pkg", "list", "--global", "--only-platforms")
    return set(re.findall(r"\b([a-z0-9]+) @ \d", listed))


def test_its_manifest_is_taken_and_the_archive_holds_all_but_the_build(tmp_path: Path) -> None:
    folder = written("platformio", "odd", tmp_path / "plant")
    pio(folder, "pkg", "pack", "--output", str(tmp_path / "plant.tar.gz"))
    packed_up = tmp_path / "plant.tar.gz"
    listed = subprocess.run(["tar", "-tzf", packed_up], capture_output=True, text=True, check=True)
    names = set(listed.stdout.split())
    wanted = {"library.json", "src/plant.c", "examples/watch/platformio.ini", "examples/watch/src/main.cpp"}
    assert wanted <= names
    examples = json.loads((folder / "library.json").read_text())["examples"]
    for file in examples[0]["files"]:
        assert (folder / examples[0]["base"] / file).is_file()


@pytest.mark.parametrize("which", ["plain", "odd", "bare"])
def test_the_vectors_hold_on_this_computer_and_a_wrong_one_is_seen(
    which: str, platforms: set[str], tmp_path: Path
) -> None:
    if "native" not in platforms:
        pytest.skip("needs PlatformIO's platform native: pio pkg install -g -p native")
    folder = written("platformio", which, tmp_path / "plant")
    project, tests = folder / "examples" / "watch", folder / "src" / "plant_test.c"
    assert "vectors: 12 of 12 equal" in pio(project, "run", "-e", "native", "-t", "exec")
    tests.write_text(re.sub(r"(everyday 1 \*/\n\d+, )(\w+)", r"\g<1>0x12345", tests.read_text(), count=1))
    assert "vectors: 11 of 12 equal" in pio(project, "run", "-e", "native", "-t", "exec", fails=True)


def pio(folder: Path, *words: str, fails: bool = False) -> str:
    """Run PlatformIO in a folder, and return what it prints."""
    done = subprocess.run(
        ["pio", *words], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert (done.returncode != 0) == fails, (done.stdout + done.stderr)[-3000:]
    return done.stdout
