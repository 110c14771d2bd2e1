"""Every outside package is either free for all or kept in one room; nothing undeclared comes in."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement

from bench.house import PACKAGE, ROOT, python_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FREE = {"numpy", "msgspec", "cbor2"}
"""Small or everywhere: any room may use them."""


def guests(file: Path) -> set[str]:
    """The outside packages a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"bimetal"}


def test_every_heavy_guest_has_a_contract() -> None:
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    kept = {guest for c in contracts if c["type"] == "protected" for guest in c["protected_modules"]}
    loose = {g: str(f.relative_to(ROOT)) for f in python_files(PACKAGE) for g in guests(f) - kept - FREE}
    assert not loose, f"add a contract of type protected to pyproject.toml: {loose}"


def test_every_guest_is_invited() -> None:
    project = PROJECT["project"]
    asked = [
        *project["dependencies"],
        *(r for extra in project["optional-dependencies"].values() for r in extra),
    ]
    invited = {Requirement(r).name.lower().replace("_", "-") for r in asked}
    owners = packages_distributions()
    strangers = {
        guest: str(file.relative_to(ROOT))
        for file in python_files(PACKAGE)
        for guest in guests(file)
        if not {name.lower().replace("_", "-") for name in owners.get(guest, [guest])} & invited
    }
    assert not strangers, f"imported, and not in pyproject.toml: {strangers}"


def test_a_late_import_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("import os\ndef f():\n    from torch.nn import Linear\n", encoding="utf-8")
    assert guests(file) == {"torch"}
