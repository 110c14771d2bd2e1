"""The ESP-IDF component, built with ESP-IDF itself for its target `linux` and run: make boards."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.targets.packaging.given import told, written
from tests.targets.packaging.listen import heard

IDF, PYTHON = os.environ.get("IDF_PATH", ""), os.environ.get("IDF_PYTHON_ENV_PATH", "")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("cmake", "ninja", "gcc"),
    pytest.mark.skipif(not (IDF and PYTHON), reason="needs ESP-IDF, whose export.sh says where it is"),
]


@pytest.mark.parametrize("which", ["plain", "odd"])
def test_the_example_checks_itself_and_says_what_the_law_says(which: str, tmp_path: Path) -> None:
    project = written("esp-idf", which, tmp_path / "plant") / "examples" / "watch"
    idf(project, "--preview", "set-target", "linux")
    idf(project, "build")
    said = heard([project / "build" / "plant_watch.elf"], project, r"(?m)^(energy|score) .*\n(.*\n){2}")
    assert "self-test: 0 of 12 vectors differ" in said, said[-3000:]
    lines = [line.split() for line in said.splitlines() if re.match("(energy|score) ", line)]
    assert lines[:2] == told(which, 40)[:2]


def test_a_vector_that_differs_is_seen_and_without_vectors_there_are_none(tmp_path: Path) -> None:
    folder = written("esp-idf", "bare", tmp_path / "plant")
    project, tests = folder / "examples" / "watch", folder / "src" / "plant_test.c"
    tests.write_text(re.sub(r"(everyday 1 \*/\n\d+, )(\w+)", r"\g<1>0x12345", tests.read_text(), count=1))
    idf(project, "--preview", "set-target", "linux")
    idf(project, "build")
    assert "self-test: 1 of 12 vectors differ" in heard(["build/plant_watch.elf"], project, "differ")
    with (project / "sdkconfig").open("a") as config:
        config.write("CONFIG_BIMETAL_PLANT_NO_VECTORS=y\n")
    idf(project, "build")
    assert "self-test: 0 of 0 vectors differ" in heard(["build/plant_watch.elf"], project, "differ")


def idf(project: Path, *words: str) -> None:
    """Run idf.py in a project, as it runs after export.sh."""
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [f"{PYTHON}/bin/python", f"{IDF}/tools/idf.py", *words]
    done = subprocess.run(
        command, cwd=project, env=env, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
