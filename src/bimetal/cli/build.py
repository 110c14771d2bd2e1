"""`bimetal build`: a model as C99, as WebAssembly or for others, in a folder that tests itself."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from bimetal.cli.command import Command, as_json

KINDS = ("arduino", "zephyr", "esp-idf", "platformio", "cmake", "make")


@click.command(
    cls=Command,
    examples=(
        "bimetal build plant.bm -o plant-c",
        "bimetal build plant.bm --board nucleo-l432kc --package zephyr -o plant-zephyr",
        "bimetal build plant.bm --target cortex-m0plus --flash 32KiB --ram 8KiB -o plant-m0",
    ),
)
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--target",
    metavar="NAME",
    default="c99",
    show_default=True,
    help="c99, wasm, onnx, litert, or the processor that the C must fit, such as cortex-m4.",
)
@click.option("--board", metavar="NAME", help="The board that it must fit; bimetal boards lists them.")
@click.option("--flash", metavar="SIZE", help="Flash there is for it, such as 32KiB.")
@click.option("--ram", metavar="SIZE", help="RAM there is for it, stack included, such as 8KiB.")
@click.option("--instructions", metavar="COUNT", help="Instructions one reading may take, such as 500k.")
@click.option("--profile", type=click.Choice(["integer", "f32"]), help="Refuse a model of the other one.")
@click.option("--package", type=click.Choice(KINDS), help="The form of the folder; else make and CMake.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write.")
@click.option("--device", metavar="NAME", help="Use this device's own parameters, not the fleet's.")
@as_json()
def command(
    model: Path,
    target: str,
    board: str | None,
    profile: str | None,
    package: str | None,
    output: Path,
    device: str | None,
    as_json: bool,
    **sizes: str | None,
) -> None:
    """Write the model's program, parameters and golden vectors as a folder.

    With a processor or a board, what it takes is held against what there is: bytes of flash, RAM and
    stack, instructions of a reading. It goes into certificate.json; a model that does not fit is not
    written (exit code 3), and what would fit is said.
    """
    from bimetal.cli.building import Wish, build
    from bimetal.cli.fitting import room_of
    from bimetal.cli.saying import say
    from bimetal.shrink.certificate import lines

    began_s = time.monotonic()
    wish = Wish(target, package, device, room_of(target, board, sizes), profile)
    built = build(model, wish, output, _show_json if as_json else _show)
    seconds = time.monotonic() - began_s
    if as_json:
        about = {"folder": str(output), "target": target, "package": package, "seconds": round(seconds, 3)}
        click.echo(json.dumps({**about, "files": built.files, "certificate": built.certificate}))
        return
    for line in lines(built.fit) if built.fit else ():
        say(line)
    say(f"{output}: {', '.join(built.files)}, in {seconds:.1f} s")
    say(f"Next: {built.next}")


def _show(fit: Any, found: Any) -> None:
    from bimetal.cli.saying import say
    from bimetal.shrink.certificate import lines

    for line in lines(fit):
        say(line)


def _show_json(fit: Any, found: Any) -> None:
    from bimetal.cli.fitting import plain
    from bimetal.shrink.certificate import judgement

    click.echo(json.dumps({**judgement(fit), "alternatives": plain(found)}))
