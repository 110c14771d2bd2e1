"""The page's files: found, named by hash, kept for ever, compressed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from bimetal.api import asset, create_app
from bimetal.api.asset import AssetShelf, page_folder
from bimetal.nouns.errors import Broken
from tests.api.asgi import ask
from tests.api.plant import small


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "index.html").write_text('<script src="assets/app.js"></script>')
    (tmp_path / "app.js").write_text("// a page\n" * 100)
    (tmp_path / "vendor" / "x.js").write_text("1")
    (tmp_path / "secret.py").write_text("no")
    return tmp_path


def test_the_page_is_found_in_a_checkout() -> None:
    assert (page_folder() / "app.js").is_file()


def test_an_installed_page_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "a" / "b" / "api"
    (room / "web").mkdir(parents=True)
    monkeypatch.setattr(asset, "__file__", str(room / "asset.py"))
    with pytest.raises(Broken, match="page's files are missing"):
        page_folder()
    (room / "web" / "index.html").write_text("")
    assert page_folder() == room / "web"


def test_every_file_the_page_names_is_there() -> None:
    app = create_app(small())
    page = ask(app, "/").body.decode()
    named = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert len(named) > 15
    assert {path: ask(app, path).status for path in named} == dict.fromkeys(named, 200)


def test_every_module_is_asked_for_early() -> None:
    page = (page_folder() / "index.html").read_text()
    modules = {p.relative_to(page_folder()).as_posix() for p in page_folder().rglob("*.js")}
    assert {m for m in modules if f'"assets/{m}"' not in page} == set()


def test_files_are_kept_for_ever_and_the_page_is_asked_for_again(folder: Path) -> None:
    app = create_app(small(), page=folder)
    page = ask(app, "/")
    path = re.search(r'src="([^"]+)"', page.body.decode())
    assert path is not None
    assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in ask(app, path[1]).headers["cache-control"]
    assert ask(app, "/assets/old/app.js").headers["cache-control"] == "no-cache"


def test_one_changed_byte_is_another_edition(folder: Path) -> None:
    before = AssetShelf(folder).edition
    assert AssetShelf(folder).edition == before
    (folder / "app.js").write_text("2")
    assert AssetShelf(folder).edition != before


def test_what_the_browser_has_is_not_sent_again(folder: Path) -> None:
    app = create_app(small(), page=folder)
    tag = ask(app, "/assets/x/app.js").headers["etag"]
    again = ask(app, "/assets/x/app.js", if_none_match=tag)
    assert (again.status, again.body) == (304, b"")
    assert ask(app, "/assets/x/app.js", if_none_match='"other"').status == 200


def test_files_are_compressed_where_that_helps(folder: Path) -> None:
    app = create_app(small(), page=folder)
    packed = ask(app, "/assets/x/app.js", accept_encoding="br, gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == (folder / "app.js").read_bytes()
    assert "content-encoding" not in ask(app, "/assets/x/app.js").headers
    assert "content-encoding" not in ask(app, "/assets/x/vendor/x.js", accept_encoding="gzip").headers


@pytest.mark.parametrize(
    "name",
    [
        "secret.py",
        "../secret.py",
        "..%2f..%2fetc/passwd",
        "/etc/passwd",
        "vendor/../secret.py",
        "vendor",
        "",
        "%00",
        "app.js/",
    ],
)
def test_nothing_else_can_be_reached(folder: Path, name: str) -> None:
    app = create_app(small(), page=folder)
    assert ask(app, f"/assets/x/{name}").status == 404


def test_types_are_told(folder: Path) -> None:
    app = create_app(small())
    assert ask(app, "/assets/x/app.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert ask(app, "/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_the_first_page_is_small() -> None:
    app = create_app(small())
    page = ask(app, "/", accept_encoding="gzip")
    paths = re.findall(r'(?:href|src)="(/assets/[^"]+)"', ask(app, "/").body.decode())
    sizes = {path: len(ask(app, path, accept_encoding="gzip").body) for path in paths}
    assert len(page.body) + sum(sizes.values()) < 80_000
