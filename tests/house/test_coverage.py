"""The table of `make coverage`: rooms add up, the least covered come first, a real report is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.coverage import FEWEST_LINES, LEAST_COVERED, Part, files_of, lines_of, main, rooms_of


def report(**files: tuple[int, int]) -> dict[str, object]:
    """A report as coverage writes it, of files by their paths with `__` for a slash."""
    return {
        "files": {
            f"/any/bimetal/src/bimetal/{name.replace('__', '/')}.py": {
                "summary": {"num_statements": count, "covered_lines": ran}
            }
            for name, (count, ran) in files.items()
        }
    }


def test_files_are_named_from_the_package_on_even_below_a_folder_of_the_same_name() -> None:
    found = files_of(report(keep__disk=(30, 20), spine=(10, 10)))
    assert found == [Part("keep/disk.py", 30, 20), Part("spine.py", 10, 10)]
    back = {"files": {"src\\bimetal\\keep\\disk.py": {"summary": {"num_statements": 3, "covered_lines": 2}}}}
    assert files_of(back) == [Part("keep/disk.py", 3, 2)]


def test_rooms_add_up_and_a_file_beside_them_is_one() -> None:
    files = files_of(report(keep__disk=(30, 20), keep__store__a=(10, 0), spine=(10, 10), tell__outbox=(4, 1)))
    assert rooms_of(files) == [Part("keep", 40, 20), Part("spine", 10, 10), Part("tell", 4, 1)]
    told = lines_of(files)
    assert told[0].split() == ["keep", "50.0%", "of", "40"]
    assert told[3].split() == ["all", "57.4%", "of", "54"]


def test_the_least_covered_come_first_and_files_of_a_few_lines_are_left_out() -> None:
    many = {f"keep__f{k:02}": (FEWEST_LINES + k, k) for k in range(LEAST_COVERED + 5)}
    told = lines_of(files_of(report(**many, tell__tiny=(FEWEST_LINES - 1, 0))))
    named = told[told.index("Least covered:") + 1 :]
    assert [line.rsplit("/", 1)[1] for line in named] == [f"f{k:02}.py" for k in range(LEAST_COVERED)]


def test_a_file_without_statements_is_covered() -> None:
    assert Part("a.py", 0, 0).share == 1.0


def test_a_run_is_measured_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tmp_path / "bimetal" / "keep"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "disk.py").write_text("import sys\nif not sys.argv:\n    a = 1\n    b = 2\n")
    (tmp_path / "run.py").write_text("import bimetal.keep.disk\n")
    command = [sys.executable, "-m", "coverage", "run", "--rcfile=/dev/null", f"--source={package.parent}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run(
        [*command, f"--data-file={tmp_path / 'data'}", "run.py"], cwd=tmp_path, env=env, check=True
    )
    main([str(tmp_path / "data")])
    assert capsys.readouterr().out.splitlines()[1].split() == ["keep", "50.0%", "of", "4"]


def test_a_data_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        main([str(tmp_path / "absent")])
