"""Site: a model for each of many files or folders, learned side by side, here or on Ray, and signed here."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bimetal.bundle.seal import check_free, content_of, is_model, parse, write
from bimetal.cli.home import keys
from bimetal.cli.pace import quickest
from bimetal.cli.progress import Progress
from bimetal.cli.saying import remark, say
from bimetal.cli.whole import check_folder
from bimetal.cluster.pool import Here, OnRay, Pool
from bimetal.keep.disk import make_folder
from bimetal.learn.calibrate import Budget, parse_budget
from bimetal.learn.search import Tier
from bimetal.nouns.errors import BadInput, Error, NotFound
from bimetal.spine import Lesson, cold
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import counted
from bimetal.wire.table.tap import DATA_SUFFIXES

RETRIES = 4
"""A site whose process died so often again is not tried further: most likely memory does not suffice."""


@dataclass(frozen=True, slots=True)
class Site:
    """What one model is learned from, how, and where it is to be; no key: workers sign nothing."""

    data: tuple[Path, ...]
    output: Path
    hints: Hints
    budget: Budget
    tier: Tier
    now_ns: int


def learn_site(site: Site) -> bytes | Error:
    """Learn as `bimetal train` does, up to the signature; returns errors, lest one site end all others."""
    lesson = Lesson(site.budget, quickest(), site.now_ns, site.tier)
    try:
        return content_of(cold(site.data, site.hints, lesson, lambda _stage, _part: None).taught.bundle)
    except Error as error:
        return error


def teach_sites(
    data: tuple[Path, ...], output: Path, false_alarms: str, tier: str, as_json: bool, hints: Hints, ray: str
) -> None:
    """Learn a model for each file or folder into the folder `output`; `ray` is an address, `local`, or "".

    Models that are there already are left alone, so that the same command goes on after an interruption.
    Raises BadInput when anything of it is refused, at the end what could not be learned.
    """
    given = (hints, parse_budget(false_alarms), Tier(tier), time.time_ns())
    sites = [Site(_tables(place), name, *given) for place, name in _outputs(data, output)]
    make_folder(output)
    check_folder(output)
    for site in sites:
        check_free(site.output)
    left = [site for site in sites if not is_model(site.output)]
    pool = OnRay("" if ray == "local" else ray, RETRIES) if ray else Here()
    lines = [line for _, line in sorted(_learn(left, pool).items())]
    if as_json:
        there = len(sites) - len(left)
        click.echo(json.dumps({"models": lines, "already_there": there}))
    else:
        _tell(lines, len(sites) - len(left))
    failed = sum("error" in line for line in lines)
    if failed:
        raise BadInput(f"{failed} of {counted(len(sites), 'model')} could not be learned, the others were")


def _learn(sites: Sequence[Site], pool: Pool) -> dict[int, dict[str, str | int]]:
    """Learn, sign and write each as it is done; returns what to tell of them by their places."""
    progress, key = Progress(), keys().signing_key()
    found: dict[int, dict[str, str | int]] = {}
    progress("learning", 0.0)
    try:
        for k, came in pool.each(learn_site, sites):
            found[k] = {"model": str(sites[k].output)}
            if isinstance(came, Error):
                found[k]["error"] = came.sentence()
            else:
                bundle = parse(came, str(sites[k].output))
                size, card = write(sites[k].output, bundle, key), bundle.card
                found[k] |= {"rows": card["rows"], "devices": len(card["devices"]), "bytes": size}
            progress("learning", len(found) / len(sites))
    finally:
        progress.clear()
    return found


def _tell(lines: Sequence[dict[str, str | int]], there: int) -> None:
    for line in lines:
        if "error" in line:
            remark(f"{line['model']}: {line['error']}")
        else:
            rows, devices = counted(int(line["rows"]), "row"), counted(int(line["devices"]), "device")
            say(f"{line['model']}: {rows} of {devices}, {int(line['bytes']):,} bytes, signed")
    if there:
        say(f"{counted(there, 'model')} already there, left alone")


def _tables(place: Path) -> tuple[Path, ...]:
    """Return the file, or the tables in the folder, by paths that hold on other machines that share them."""
    if not place.is_dir():
        return (place.absolute(),)
    found = sorted(p.absolute() for p in place.iterdir() if p.suffix.lower() in DATA_SUFFIXES and p.is_file())
    if not found:
        raise NotFound("no table is in this folder", where=str(place), hint="Put CSV or Parquet files there")
    return tuple(found)


def _outputs(data: Sequence[Path], output: Path) -> list[tuple[Path, Path]]:
    """Return each with the place of its model; raises BadInput when two would have the same."""
    taken: dict[Path, Path] = {}
    for place in data:
        name = place.absolute().name
        stem = name if place.is_dir() else Path(name.removesuffix(".gz")).stem
        model = output / f"{stem}.bm"
        if model in taken:
            raise BadInput(
                f"its model would be {model}, as that of {taken[model]}", where=str(place), hint="Rename one"
            )
        taken[model] = place
    return [(place, model) for model, place in taken.items()]
