"""Every program on every target that is here, in one table: `python -m tests.agree`, or `make agree`.

Short unless --all is said: the targets that are quickly installed, and every third program.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from tests.agree.case import GROUPS, Case, expected
from tests.agree.journey import travelled
from tests.agree.machine import Machine, Outcome, absence
from tests.agree.metal import EVERYWHERE, SHORT
from tests.agree.proof import Verdict, prove
from tests.agree.table import HEAD, as_json, line, summary, travel

THIRD = 3


@click.command(help=__doc__)
@click.argument("targets", nargs=-1)
@click.option("--all", "whole", is_flag=True, help="Every target there is a way to, and every program.")
@click.option(
    "--json", "to_file", type=click.Path(dir_okay=False), help="Write the table as JSON too; - is stdout."
)
@click.option(
    "--group", "groups", multiple=True, type=click.Choice(list(GROUPS)), help="Only these programs."
)
def main(targets: tuple[str, ...], whole: bool, to_file: str | None, groups: tuple[str, ...]) -> None:
    """Print a line for each target as it is done; the exit status is 1 where anything differs."""
    unknown = set(targets) - {m.name for m in EVERYWHERE}
    if unknown:
        names = ", ".join(m.name for m in EVERYWHERE)
        raise click.UsageError(f"no target is called {', '.join(sorted(unknown))}; there are {names}")
    chosen = [m for m in EVERYWHERE if (m.name in targets if targets else whole or m.name in SHORT)]
    verdicts = tried(chosen, groups or tuple(GROUPS), whole, quiet=to_file == "-")
    lost = moved(chosen)
    if to_file != "-":
        click.echo(travel(chosen, lost))
    if to_file == "-":
        click.echo(json.dumps(as_json(verdicts, lost), indent=2))
    elif to_file:
        Path(to_file).write_text(json.dumps(as_json(verdicts, lost), indent=2) + "\n")
    sys.exit(1 if lost or any(v.wrong for v in verdicts) or not any(v.runs for v in verdicts) else 0)


def tried(machines: Sequence[Machine], groups: Sequence[str], whole: bool, *, quiet: bool) -> list[Verdict]:
    """Run programs on machines, and say what came of each; those whose tools are missing say so."""
    say = (lambda text: None) if quiet else click.echo
    say(HEAD)
    verdicts: list[Verdict] = []
    steps = len(machines) * len(groups)
    with click.progressbar(length=steps, label="agree", file=sys.stderr, item_show_func=str) as bar:
        for machine in machines:
            found = Verdict(machine.name, absence(machine))
            for group in groups:
                bar.update(1, f"{machine.name}, {group}")  # type: ignore[arg-type]
                if not found.absent:
                    attempt(machine, group, whole, found)
            verdicts.append(found)
            click.echo("\r\033[K", nl=False, err=True) if sys.stderr.isatty() else None
            say(line(found))
    say(summary(verdicts))
    return verdicts


def moved(machines: Sequence[Machine]) -> dict[str, str]:
    """Let devices go through all machines that are here, in mid-run, and return what differs."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return travelled([m for m in machines if not absence(m)], Path(folder))


def attempt(machine: Machine, group: str, whole: bool, into: Verdict) -> None:
    """Run a group of programs; a machine that fails altogether is wrong about the group."""
    try:
        prove(machine, *some(group, whole), into)
    except AssertionError as error:
        into.wrong[group] = str(error)[:2000]


def some(group: str, whole: bool) -> tuple[Sequence[Case], Sequence[Sequence[Outcome]]]:
    """Return the cases of a group with what the law says, or every third of them."""
    cases, wanted = expected(group)
    return (cases, wanted) if whole else (cases[::THIRD], wanted[::THIRD])


if __name__ == "__main__":
    main()
