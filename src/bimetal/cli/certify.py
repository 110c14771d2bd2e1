"""`bimetal certify`: certificates for devices and servers, from an authority of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bimetal.cli.command import Command, as_json


@click.command(
    cls=Command,
    examples=(
        "bimetal certify --server plant.example.com -o certs",
        "bimetal certify pump-1 -o certs",
        "bimetal certify --member n1.example.com -o fleet",
    ),
)
@click.argument("name")
@click.option("--server", is_flag=True, help="For bimetal serve: NAME is what devices connect to.")
@click.option("--member", is_flag=True, help="For a machine of a fleet: NAME is what others connect to.")
@click.option("--revoke", is_flag=True, help="Let its certificates count no longer: writes revoked.pem.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it holds."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write to."
)
@as_json()
def command(
    name: str, server: bool, member: bool, revoke: bool, days: int, output: Path, as_json: bool
) -> None:
    """Make a key and a certificate: NAME.key and NAME.pem; ca.pem beside them is what the other side needs.

    The authority that signs them is made when it is first needed, and is kept where this
    installation's own key is (BIMETAL_HOME). Machines of a fleet have an authority of their own, so that
    no device's certificate opens anything there.
    """
    import time

    from bimetal.cli.home import keys
    from bimetal.nouns.device import check_device_id
    from bimetal.trust.authority import Authority, write_secret

    check_device_id(name)
    if member and (server or revoke):
        raise click.UsageError(
            "--member goes with neither --server nor --revoke: remake all of a fleet's instead."
        )
    authority = Authority(keys().folder / ("fleet-authority" if member else "authority"), time.time_ns())
    output.mkdir(parents=True, exist_ok=True)
    if revoke:
        count, path = authority.revoke(name), output / "revoked.pem"
        write_secret(path, authority.revoked())
        said = {"name": name, "revoked": count, "crl": str(path)}
        click.echo(json.dumps(said) if as_json else f"{path} is for bimetal serve --client-crl.")
        return
    certify = authority.certify_member if member else authority.certify_device
    issued = (authority.certify_server if server else certify)(name, days)
    files = {"cert": f"{name}.pem", "key": f"{name}.key", "ca": "ca.pem"}
    contents = {"cert": issued.cert, "key": issued.key, "ca": authority.public}
    for kind, file in files.items():
        write_secret(output / file, contents[kind])
    if as_json:
        click.echo(json.dumps({"name": name} | {kind: str(output / file) for kind, file in files.items()}))
        return
    click.echo(f"{output / files['cert']} and {output / files['key']} are for {name}, for {days} days.")
    what = "all of the fleet" if member else "each device" if server else "bimetal serve --client-ca"
    click.echo(f"{output / files['ca']} is for {what}; {output / files['key']} is for {name} alone.")
