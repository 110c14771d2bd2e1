"""The page's files: read once, named by their hash, compressed once."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bimetal.nouns.errors import Broken

MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page: its bytes, the same compressed, its type and its tag."""

    body: bytes
    packed: bytes
    media: str
    tag: str


def page_folder() -> Path:
    """Return where the page's files are: inside the installed package, or `web/` of a checkout.

    Raises Broken when they are in neither place.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "web", here.parents[2] / "web"):
        if (folder / "index.html").is_file():
            return folder
    raise Broken("the page's files are missing", where=str(here), hint="Install bimetal again")


class AssetShelf:
    """All files of the page in memory; `edition` is one hash over all of them.

    The address of a file holds the edition, so a browser may keep it for ever; the page
    itself is asked for again each time and names the edition it belongs to.
    """

    def __init__(self, folder: Path) -> None:
        found = {
            p.relative_to(folder).as_posix(): p.read_bytes()
            for p in sorted(folder.rglob("*"))
            if p.is_file() and p.suffix in MEDIA
        }
        digest = hashlib.sha256()
        for name, body in found.items():
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        self.edition = digest.hexdigest()[:16]
        index = found["index.html"].replace(b'"assets/', f'"/assets/{self.edition}/'.encode())
        self._assets = {name: _asset(name, body) for name, body in (found | {"index.html": index}).items()}

    def routes(self) -> list[Route]:
        """Return the routes to the page and its files."""
        return [
            Route("/", self.page),
            Route("/favicon.ico", self.icon),
            Route("/assets/{edition}/{name:path}", self.file),
        ]

    async def page(self, request: Request) -> Response:
        """Answer with the page."""
        return _answer(request, self._assets["index.html"], "no-cache")

    async def icon(self, request: Request) -> Response:
        """Answer with the icon, for browsers that ask unbidden."""
        return await self.file(request, "icon.svg")

    async def file(self, request: Request, name: str | None = None) -> Response:
        """Answer with one file; an older edition's address gives the file as it is now, not to be kept."""
        asset = self._assets.get(name or str(request.path_params["name"]))
        if asset is None:
            raise HTTPException(404)
        same = request.path_params.get("edition") == self.edition
        return _answer(request, asset, _FOREVER if same else "no-cache")


def _asset(name: str, body: bytes) -> Asset:
    packed = gzip.compress(body, 9, mtime=0)
    return Asset(body, packed, MEDIA[Path(name).suffix], f'"{hashlib.sha256(body).hexdigest()[:20]}"')


def _answer(request: Request, asset: Asset, keep: str) -> Response:
    headers = {"ETag": asset.tag, "Cache-Control": keep, "Vary": "Accept-Encoding"}
    if asset.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = asset.body
    if "gzip" in request.headers.get("accept-encoding", "") and len(asset.packed) < len(body):
        headers["Content-Encoding"], body = "gzip", asset.packed
    return Response(body, headers=headers, media_type=asset.media)
