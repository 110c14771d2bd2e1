"""Docs fail like code: marked blocks are run, links lead somewhere, and every page is in the contents."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bench.house import ROOT
from docs import generate

PAGES = sorted((ROOT / "docs").rglob("*.md")) + [
    ROOT / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
]
MARKED = re.compile(r"^<!-- runs(?: needs ([\w: ]+))? -->\n```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BEFORE = re.compile(r"^<!-- before: (.*) -->$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
RUNNABLE = [page for page in PAGES if MARKED.search(page.read_text(encoding="utf-8"))]


def name(page: Path) -> str:
    """A page's path below the root."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", RUNNABLE, ids=name)
def test_the_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    """Blocks under `<!-- runs -->` run in order in one folder, which `<!-- before: ... -->` fills."""
    text = page.read_text(encoding="utf-8")
    for needed, block in [*(("", first) for first in BEFORE.findall(text)), *MARKED.findall(text)]:
        absent = [p for p in needed.split() if not is_here(p)]
        if absent:
            pytest.skip(f"needs {', '.join(absent)}, which is not installed here")
        done = run(block, tmp_path)
        assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr


def is_here(needed: str) -> bool:
    """Say whether a program is here, or with `python:` before it, a module."""
    kind, _, module = needed.partition(":")
    return shutil.which(kind) is not None and (not module or importlib.util.find_spec(module) is not None)


def run(block: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a block of a page as a user would, with this interpreter's commands first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    home = {"HOME": str(folder), "BIMETAL_HOME": str(folder / ".bimetal"), "PATH": path}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=folder,
        env={**os.environ, **home},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_a_block_that_fails_is_seen(tmp_path: Path) -> None:
    assert run("false | cat\n", tmp_path).returncode != 0
    assert run("bimetal no-such-command\n", tmp_path).returncode == 2


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_pictures_lead_somewhere(page: Path, tmp_path: Path) -> None:
    generate.write(tmp_path)
    for words in LINK.findall(page.read_text(encoding="utf-8")):
        target = (words[0] or words[1]).split("#")[0]
        if not target or "://" in target or target.startswith("mailto:"):
            continue
        path = page.parent / target
        made = path.parent.name == "reference" and (tmp_path / path.name).exists()
        assert path.exists() or made, f"{name(page)} points at {target}, which is not there"


def test_the_contents_name_every_page_and_no_other(tmp_path: Path) -> None:
    generate.write(tmp_path)
    contents = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    named = set(
        re.findall(r'"([\w./-]+\.md)"', str(tomllib.loads(contents)["project"]["nav"]).replace("'", '"'))
    )
    there = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")}
    there |= {f"reference/{p.name}" for p in tmp_path.glob("*.md")}
    unlisted = {p for p in there - named if not re.match(r"decisions/\d{4}-", p)}
    assert not unlisted
    assert named <= there


def test_every_decision_is_listed_and_stays_on_one_page() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "index.md").read_text(encoding="utf-8")
    for record in sorted(folder.glob("[0-9]*.md")):
        text = record.read_text(encoding="utf-8")
        assert record.name in index
        assert len(text.splitlines()) <= 60
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Turned down", "Consequences"))


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("needs zensical, which is not installed here: pip install 'bimetal[docs]'")
    shutil.copytree(
        ROOT / "docs", tmp_path / "docs", ignore=shutil.ignore_patterns("__pycache__", "reference")
    )
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    generate.write(tmp_path / "docs" / "reference")
    build = [str(Path(sys.executable).parent / "zensical"), "build", "--strict"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "why" / "house.html").is_file()
