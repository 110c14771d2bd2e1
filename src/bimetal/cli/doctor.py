"""`bimetal doctor`: what this installation can and cannot do, and what would change that."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from dataclasses import asdict, dataclass

import click

from bimetal import __version__
from bimetal.cli.command import Command, as_json
from bimetal.cli.home import keys
from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.errors import Error

EXTRAS = {"duckdb": "answers SQL: bimetal query", "fsspec": "hands DuckDB what is kept"}
"""Packages that one command needs, and nothing else."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `state` is ok, missing or broken; `change` says what would change it."""

    what: str
    state: str
    detail: str
    change: str = ""


@click.command(cls=Command, examples=("bimetal doctor",))
@as_json()
def command(as_json: bool) -> int:
    """Say what this installation can and cannot do, and what would change that.

    Exit code 1 when something needed for the main job is broken.
    """
    found = examine()
    if as_json:
        click.echo(json.dumps([asdict(f) for f in found]))
    else:
        for f in found:
            mark = {"ok": "✓", "missing": "–", "broken": "✗"}[f.state]
            click.echo(f"{mark} {f.what:<22} {f.detail}")
            if f.change:
                click.echo(f"  {'':<22} → {f.change}")
        lost = sum(f.state == "broken" for f in found)
        click.echo("\nReady: try  bimetal sample -o plant.csv" if not lost else f"\n{lost} thing(s) broken.")
    return 1 if any(f.state == "broken" for f in found) else 0


def examine() -> list[Finding]:
    """Look at everything, in the order a user would ask."""
    return [*_installation(), *_targets(), _signing(), _page()]


def _installation() -> list[Finding]:
    packages = {
        "numpy": "the law every other target answers to",
        "pyarrow": "reads CSV and Parquet, keeps readings",
        "mqtt5": "listens to devices",
        "uvicorn": "serves the page",
    }
    found = [
        Finding(
            "Python",
            "ok" if sys.version_info >= (3, 11) else "broken",
            f"{platform.python_version()} on {platform.system()} {platform.machine()}; bimetal {__version__}",
            "" if sys.version_info >= (3, 11) else "Install Python 3.11 or newer",
        )
    ]
    for name, use in (packages | EXTRAS).items():
        try:
            found.append(Finding(name, "ok", f"{importlib.metadata.version(name)}: {use}"))
        except importlib.metadata.PackageNotFoundError:
            state = "missing" if name in EXTRAS else "broken"
            found.append(Finding(name, state, f"missing: {use}", f"pip install {name}"))
    return found


def _targets() -> list[Finding]:
    from bimetal.cli.pace import ALLOW, native_allowed
    from bimetal.cli.shelf import LocalShelf
    from bimetal.targets.present import every_target

    unused = "" if native_allowed() else f"Set {ALLOW}=1, and commands run programs there"
    found: list[Finding] = []
    for target in every_target(LocalTools(), LocalShelf()):
        absent = target.present()
        found.append(
            Finding(f"target {target.name}", "missing", "does not run here", absent)
            if absent
            else Finding(
                f"target {target.name}", "ok", "runs here", unused if target.name == "native" else ""
            )
        )
    return found


def _signing() -> Finding:
    try:
        keys().signing_key()
    except Error as error:
        return Finding("signing key", "broken", error.what, error.hint)
    return Finding("signing key", "ok", f"in {keys().folder}")


def _page() -> Finding:
    from bimetal.api.asset import page_folder

    try:
        folder = page_folder()
    except Error as error:
        return Finding("page", "broken", error.what, error.hint)
    return Finding("page", "ok", f"{sum(1 for _ in folder.rglob('*') if _.is_file())} files")
