"""`bimetal build`: a model as C99 or WebAssembly, in a folder that tests itself."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(cls=Command, examples=("bimetal build plant.bm --target c99 -o plant-c",))
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--target", type=click.Choice(["c99", "wasm"]), default="c99", show_default=True, help="What to write."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--device", metavar="NAME", help="Use this device's own parameters, not the fleet's.")
@as_json()
def command(model: Path, target: str, output: Path, device: str | None, as_json: bool) -> None:
    """Write the model's program, parameters and golden vectors as a folder.

    `make -C FOLDER test` then says how many vectors agree bit for bit.
    """
    from bimetal.cli.building import write_target
    from bimetal.cli.saying import say

    written = write_target(model, target, output, device)
    if as_json:
        click.echo(json.dumps({"folder": str(output), "target": target, "files": written}))
        return
    say(f"{output}: {', '.join(written)}")
    say(f"Next: {shlex.join(['make', '-C', str(output), 'test'])}")
