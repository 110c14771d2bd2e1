"""`bimetal show`: what a model knows about itself."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.bundle.seal import read
from bimetal.cli.command import Command, as_json
from bimetal.cli.home import keys
from bimetal.learn.card import card_of
from bimetal.program.digest import digest
from bimetal.trust.key import fingerprint


@click.command(cls=Command, examples=("bimetal show plant.bm",))
@click.argument("model", type=click.Path(path_type=Path))
@as_json()
def command(model: Path, as_json: bool) -> None:
    """Print a model's card: signals, usual ranges, data window, promise, limits, who signed it."""
    sealed = read(model)
    card = card_of(sealed.bundle.card)
    signer = keys().name_of(sealed.signer) or "a key not known here"
    if as_json:
        whole = card.plain() | {"digest": digest(sealed.bundle.program).hex(), "signer": sealed.signer.hex()}
        click.echo(json.dumps(whole))
        return
    click.echo(f"{card.purpose}, program {digest(sealed.bundle.program).hex()[:16]}")
    click.echo(f"signed by {signer} ({fingerprint(sealed.signer)})")
    click.echo(f"learned from {card.rows:,} rows of {len(card.devices)} device(s): {', '.join(card.sources)}")
    click.echo(f"promise: at most {card.promise} false alarms for each device, {card.promise_words}")
    for signal, usual in zip(card.signals, card.usual[""], strict=True):
        click.echo(f"  {signal.name:<28} usually {usual.low:.4g} to {usual.high:.4g} {signal.unit}")
    for limit in card.limits:
        click.echo(f"limit: {limit}")
