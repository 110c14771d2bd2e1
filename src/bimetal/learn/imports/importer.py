"""Importer: the socket for libraries whose models can be brought over, and who understands which."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any, Protocol

from bimetal.learn.imports.foreign import Foreign
from bimetal.learn.imports.look import name_of
from bimetal.nouns.errors import Unsupported

GROUP = "bimetal.importers"


class Importer(Protocol):
    """Understands the models of one library; found by the entry point group `bimetal.importers`."""

    def recognises(self, model: Any) -> bool:
        """Say whether an object is a model of this library; raises nothing, and imports nothing of it."""
        ...

    def read(self, model: Any) -> Foreign:
        """Return a model in our words; raises Unsupported for what it cannot take, BadInput if unfitted."""
        ...


def importers() -> Iterator[tuple[str, Importer]]:
    """Yield every importer this installation has, with its name, in the order of their names."""
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        yield entry.name, entry.load()


def importer_of(model: Any) -> Importer:
    """Return the importer that understands a model; raises Unsupported naming the libraries there are."""
    names: list[str] = []
    for name, importer in importers():
        if importer.recognises(model):
            return importer
        names.append(name)
    raise Unsupported(
        f"nobody here knows what {name_of(model)} is",
        where="import",
        hint=f"Models of {', '.join(names)} can be brought over",
    )
