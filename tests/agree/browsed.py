"""Browsed: the modules that node runs, in a page of a headless Chromium."""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bench.browser import browser, chromium
from bimetal.program.program import Program
from tests.agree.compiled import HOST
from tests.agree.machine import Job, Outcome, jobs_of, outcomes_of
from tests.agree.scripted import written

LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class Browser:
    """WebAssembly in a page of Chromium."""

    name: str = "chromium"

    @property
    def needs(self) -> tuple[str, ...]:
        """Chromium, by whichever name it is here."""
        return () if chromium() else ("chromium",)

    def refusal(self, program: Program) -> str:
        """Return "": it runs everything."""
        return ""

    def build(self, programs: Sequence[Program], folder: Path) -> BrowserBuilt:
        """Write every program's module and script, and the page."""
        written(programs, folder)
        shutil.copy(HOST / "page.html", folder)
        return BrowserBuilt(folder, tuple(programs))


@dataclass(frozen=True, slots=True)
class BrowserBuilt:
    """A folder of modules with a page."""

    folder: Path
    programs: tuple[Program, ...]

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs in one page."""
        (self.folder / "jobs").write_bytes(jobs_of(self.programs, jobs))
        with served(self.folder) as address, browser() as tab:
            tab.open(f"{address}/page.html")
            tab.wait_for("document.title !== 'agree'", LONGEST_S)
            said = tab.run("document.title")
            assert said == "done", said
        return outcomes_of(self.programs, jobs, (self.folder / "results").read_bytes())


class Pages(SimpleHTTPRequestHandler):
    """Gives the files of a folder, and keeps what a page found."""

    def do_POST(self) -> None:
        """Keep the results of a page."""
        data = self.rfile.read(int(self.headers["Content-Length"]))
        Path(self.directory, "results").write_bytes(data)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Give the files of a folder on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Pages, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
