"""Pack: the socket for a ready-made domain, and its manifest `pack.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast

from bimetal.nouns import Batch, Purpose, Signal
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.packs.truth import Truth

GROUP = "bimetal.packs"


@dataclass(frozen=True, slots=True)
class PackSignal:
    """A signal of a pack, why its readings are kept, and how personal they are (`none` or `personal`)."""

    signal: Signal
    purpose: Purpose
    privacy: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says of itself: its signals, and the scenarios its simulator can play by name."""

    name: str
    title: str
    summary: str
    signals: tuple[PackSignal, ...]
    scenarios: Mapping[str, str]


class Pack(Protocol):
    """A ready-made domain: it says what it measures, and can simulate it with faults and their truth."""

    def manifest(self) -> Manifest:
        """Return what `pack.toml` says. Raises BadInput when it says it badly."""
        ...

    def simulate(
        self, scenario: str, machines: int, seconds: float, rate_hz: float, seed: int
    ) -> tuple[Batch, tuple[Truth, ...]]:
        """Return readings and what was done to them; the same arguments give the same numbers.

        Raises NotFound for an unknown scenario, BadInput for impossible numbers.
        """
        ...


def find_packs() -> dict[str, EntryPoint]:
    """Return the installed packs by name, not yet loaded."""
    return {found.name: found for found in sorted(entry_points(group=GROUP), key=lambda one: one.name)}


def load_pack(name: str) -> Pack:
    """Return an installed pack. Raises NotFound, or BadInput when it cannot be loaded."""
    found = find_packs()
    if name not in found:
        known = ", ".join(found) or "none"
        raise NotFound(f"there is no pack named {name}", hint=f"Installed packs: {known}")
    try:
        return cast(Pack, found[name].load()())
    except Exception as error:  # a stranger's code: whatever it does wrong is named, not raised
        raise BadInput(
            f"the pack cannot be loaded: {error!r}", where=name, hint="Install it again"
        ) from error


def read_manifest(text: str, where: str) -> Manifest:
    """Return the manifest written as TOML. Raises BadInput naming the first thing that is wrong."""
    try:
        table = _Table(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"this is not TOML: {error}", where=where) from None
    head = table.table("pack")
    purposes = {name: _purpose(name, row) for name, row in table.tables("purpose").items()}
    manifest = Manifest(
        name=head.text("name"),
        title=head.text("title"),
        summary=head.text("summary"),
        signals=tuple(_signal(name, row, purposes) for name, row in table.tables("signal").items()),
        scenarios={name: row.text("summary") for name, row in table.tables("scenario").items()},
    )
    head.finish()
    table.finish()
    if not manifest.signals:
        raise BadInput("a pack needs at least one signal", where=where, hint="Add a table [signal.NAME]")
    return manifest


def _purpose(name: str, row: _Table) -> Purpose:
    purpose = Purpose(name, row.text("ground"), row.number("keep_days"))
    row.finish()
    return purpose


def _signal(name: str, row: _Table, purposes: Mapping[str, Purpose]) -> PackSignal:
    rate_hz, wanted, privacy = row.number("rate_hz"), row.text("purpose"), row.text("privacy")
    low, high = row.number("low"), row.number("high")
    if not rate_hz > 0:
        raise BadInput(f"rate_hz must be more than 0, not {rate_hz}", where=row.where)
    if wanted not in purposes:
        raise BadInput(f"no purpose is named {wanted}", where=row.where, hint=f"Add [purpose.{wanted}]")
    if privacy not in ("none", "personal"):
        raise BadInput(f"privacy is none or personal, not {privacy}", where=row.where)
    signal = Signal(name, row.text("unit"), row.text("quantity"), 1 / rate_hz, low, high)
    row.finish()
    return PackSignal(signal, purposes[wanted], privacy)


class _Table:
    """A TOML table that is read key by key and says which key is missing, wrong or left over."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self.where = where
        self._values = dict(values)

    def text(self, key: str) -> str:
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise BadInput(f"{key} must be a text", where=self.where)
        return value

    def number(self, key: str) -> float:
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise BadInput(f"{key} must be a number", where=self.where)
        return float(value)

    def table(self, key: str) -> _Table:
        value = self._take(key)
        if not isinstance(value, dict):
            raise BadInput(f"{key} must be a table", where=self.where)
        return _Table(cast("dict[str, object]", value), f"{self.where} [{key}]")

    def tables(self, key: str) -> dict[str, _Table]:
        outer = self.table(key)
        return {name: outer.table(name) for name in list(outer._values)}

    def finish(self) -> None:
        if self._values:
            raise BadInput(f"{next(iter(self._values))} is not a known key", where=self.where)

    def _take(self, key: str) -> object:
        if key not in self._values:
            raise BadInput(f"{key} is missing", where=self.where)
        return self._values.pop(key)
