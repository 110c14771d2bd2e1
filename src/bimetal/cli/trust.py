"""`bimetal trust`: whose models are taken here."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=("bimetal trust", "bimetal trust maria pump.bm", "bimetal trust maria --remove"),
)
@click.argument("name", required=False)
@click.argument("key", required=False)
@click.option("--remove", is_flag=True, help="Trust the key of this name no longer.")
@as_json()
def command(name: str | None, key: str | None, remove: bool, as_json: bool) -> None:
    """Trust the key that signed a model, or one given as 64 hexadecimal digits or a file of them.

    With nothing named, print this installation's public key, to give to others, and the keys trusted here.
    bimetal serve and demo take no model that is signed with another key.
    """
    from bimetal.cli.home import keys

    folder = keys()
    if name is not None:
        _check(name, key, remove)
        if remove:
            folder.distrust(name)
        else:
            folder.trust(name, _public(key or ""))
    own, trusted = folder.signing_key().public, folder.trusted()
    if as_json:
        named = {name: public.hex() for name, public in trusted.items()}
        click.echo(json.dumps({"own": own.hex(), "trusted": named}))
        return
    click.echo(f"{own.hex()}  this installation")
    for known, public in trusted.items():
        click.echo(f"{public.hex()}  {known}")


def _check(name: str, key: str | None, remove: bool) -> None:
    if remove == (key is not None):
        raise click.UsageError(
            "--remove takes a name alone." if remove else f"Name the model, or the key, of {name!a} too."
        )


def _public(key: str) -> bytes:
    """Return the key that signed a model file, or the one that is written out."""
    from bimetal.bundle.seal import is_model, read
    from bimetal.trust.key import public_key

    path = Path(key)
    if is_model(path):
        return read(path).signer
    if path.is_file():
        with path.open(errors="replace") as file:
            return public_key(file.read(1000), key)
    return public_key(key, key)
