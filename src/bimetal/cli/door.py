"""Door: the table of commands, loaded only when called, and how a command ends."""

from __future__ import annotations

import difflib
import importlib
import os
import sys

import click

from bimetal import __version__
from bimetal.cli.command import Command
from bimetal.nouns.errors import Error

COMMANDS = {
    "demo": "Watch a living plant: learned, explained, on a page.",
    "train": "Learn what is normal from a CSV or Parquet file.",
    "bring": "Make a model of one trained elsewhere (ONNX), in floats or int8.",
    "run": "Score data and print explained events.",
    "feedback": "Say what an alarm was; the model knows it from then on.",
    "eval": "Judge a model on data whose faults are known.",
    "build": "Write the model as C99 or WebAssembly, and say what it takes.",
    "boards": "List boards, and say whether a model fits.",
    "verify": "Check that every target gives the same bits.",
    "serve": "Take readings in over MQTT and HTTP, keep and watch them.",
    "headroom": "Say which limit a server comes to first, and when.",
    "cluster": "Write the configuration of a NATS server for a fleet.",
    "bridge": "Take readings in for a fleet of machines.",
    "worker": "Run a model on a share of a fleet.",
    "token": "Let a device in, or no longer.",
    "certify": "Make certificates for devices and servers.",
    "trust": "Say whose models are taken here.",
    "erase": "Forget a device and all that was kept of it.",
    "query": "Ask in SQL what is kept.",
    "show": "Print what a model knows about itself.",
    "sample": "Write a CSV of machines with faults, to try things on.",
    "doctor": "Say what this installation can and cannot do.",
}
"""Each command with its line in the list; its code is `bimetal.cli.<name>:command`."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not to list them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        found: object = importlib.import_module(f"bimetal.cli.{cmd_name}").command
        return found if isinstance(found, Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which was probably meant."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]}?" if near else " See: bimetal --help"
            raise click.UsageError(f"There is no command {args[0]!a}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; when whoever reads its output has had enough, that is a good end."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(0) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Print an example first."""
        formatter.write_text("Example: bimetal sample -o plant.csv")
        formatter.write_paragraph()
        super().format_help(ctx, formatter)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bimetal")
def bimetal() -> None:
    """From a raw sensor stream to a small, explained model that runs the same everywhere."""


def run(arguments: list[str]) -> int:
    """Run the command line; every way of ending becomes an exit code and at most one sentence."""
    try:
        result: object = bimetal.main(arguments, prog_name="bimetal", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        _say(error.format_message())
        if error.ctx is not None:
            _say(f"See: {error.ctx.command_path} --help")
        return 2
    except click.ClickException as error:
        _say(error.format_message())
        return 1
    except (KeyboardInterrupt, click.Abort):
        _say("Interrupted.")
        return 130
    except Error as error:
        _say(error.sentence())
        return error.exit_code
    except OSError as error:
        _say(f"{error.filename or 'standard output'}: {error.strerror or type(error).__name__}.")
        return 1
    except Exception as error:
        if os.environ.get("BIMETAL_TRACE"):
            raise
        _say(
            f"bimetal itself failed ({type(error).__name__}: {ascii(str(error))[:200]}). "
            "Run again with BIMETAL_TRACE=1 and report what it prints."
        )
        return 1


def _say(words: str) -> None:
    print(words, file=sys.stderr)
