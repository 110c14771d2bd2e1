"""The vendored libraries are what their packages hold, and their licences are beside them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

VENDOR = Path(__file__).parents[2] / "web" / "vendor"
FILES: list[dict[str, Any]] = json.loads((VENDOR / "vendor.json").read_text())["files"]


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("entry", FILES, ids=lambda e: e["file"])
def test_a_file_is_the_one_of_its_package(entry: dict[str, Any]) -> None:
    body = (VENDOR / entry["file"]).read_bytes()
    assert sha256(body) == entry["sha256"]
    text = body.decode()
    if entry["append"]:
        assert text.endswith(entry["append"])
        text = text[: -len(entry["append"])]
    for package, neighbour in entry["imports"].items():
        assert f'from"{neighbour}"' in text
        text = text.replace(f'from"{neighbour}"', f'from"{package}"')
    assert sha256(text.encode()) == entry["source_sha256"]


@pytest.mark.parametrize("entry", FILES, ids=lambda e: e["file"])
def test_a_file_says_where_it_is_from_and_what_it_may_be_used_for(entry: dict[str, Any]) -> None:
    assert entry["source"].startswith(f"https://registry.npmjs.org/{entry['name']}/-/")
    assert entry["version"] in entry["source"]
    assert entry["package_integrity"].startswith("sha512-")
    assert entry["licence"] in {"MIT", "Apache-2.0"}
    licence = (VENDOR / entry["licence_file"]).read_text()
    assert {"MIT": "MIT", "Apache-2.0": "Apache License"}[entry["licence"]] in licence


def test_nothing_else_is_there() -> None:
    listed = {e["file"] for e in FILES} | {e["licence_file"] for e in FILES} | {"vendor.json"}
    types = {Path(e["file"]).with_suffix(".d.ts").name for e in FILES}
    assert {p.name for p in VENDOR.iterdir()} - types == listed


def test_no_file_reaches_out_or_makes_code_from_text() -> None:
    for path in VENDOR.parent.rglob("*.js"):
        text = path.read_text()
        assert "eval(" not in text, path.name
        assert "new Function" not in text, path.name
        if path.parent == VENDOR.parent:
            assert "http://" not in text.replace("http://www.w3.org", ""), path.name
            assert "https://" not in text, path.name
            assert "innerHTML" not in text, path.name
