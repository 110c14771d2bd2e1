"""`bimetal verify`: the golden vectors of a model, on every target present."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json
from bimetal.nouns.errors import GateNotMet


@click.command(cls=Command, examples=("bimetal verify plant.bm",))
@click.argument("model", type=click.Path(path_type=Path))
@as_json("Print a JSON list of target, vectors, equal.")
def command(model: Path, as_json: bool) -> None:
    """Run a model's golden vectors on every target present, and compare every bit of output and state.

    Exit code 3 if any differs.
    """
    from bimetal.cli.proving import absent, prove
    from bimetal.cli.saying import say

    found = prove(model)
    if as_json:
        rows = [{"target": a.target, "vectors": a.vectors, "equal": a.equal} for a in found]
        click.echo(json.dumps(rows))
    else:
        for a in found:
            mark = "✓" if a.equal == a.vectors else "✗"
            equal = f"{a.equal:>4} of {a.vectors} vectors equal"
            say(f"{mark} {a.target:<8} {equal}  {a.first_difference}".rstrip())
        for name, why in absent():
            say(f"– {name:<8} not here: {why}")
    different = [a.target for a in found if a.equal != a.vectors]
    if different:
        raise GateNotMet(
            f"{', '.join(different)} gave other bits", where=str(model), hint="Report it with the model"
        )
