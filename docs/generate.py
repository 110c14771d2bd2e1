"""Writes docs/reference/ from the code: commands, events, errors, operators. Run: python docs/generate.py."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bimetal.cli.door import COMMANDS, bimetal
from bimetal.nouns import errors
from bimetal.nouns.event import Cause, Event, Kind, Reason

NOTE = "<!-- Written by docs/generate.py; change the code, not this page. -->\n\n"
CODES = {0: "done", 1: "failed", 2: "wrong usage", 3: "quality gate not met", 4: "not found", 5: "refused"}
CODES[130] = "interrupted"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that can be loaded, in the order of `bimetal --help`."""
    context = click.Context(bimetal, info_name="bimetal")
    for name in COMMANDS:
        try:
            command = bimetal.get_command(context, name)
        except ModuleNotFoundError as absent:
            if not (absent.name or "").startswith("bimetal.cli."):
                raise
            continue
        if command is not None:
            yield name, command


def described(command: click.Command) -> Iterator[tuple[str, str]]:
    """Each argument and option of a command as it is written, with what its help says."""
    context = click.Context(command)
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            record = parameter.get_help_record(context)
            written = record[0] if record else ", ".join(parameter.opts)
            yield written, (parameter.help or "")
        else:
            yield parameter.make_metavar(context), "what the command works on"


def command_page() -> str:
    """The page of the command line."""
    parts = [f"{NOTE}# Command line\n", "Standard output is data, standard error is words and progress.\n"]
    for name, command in commands():
        parts += [f"## bimetal {name}\n", f"{inspect.cleandoc(command.help or COMMANDS[name])}\n"]
        examples = getattr(command, "examples", ())
        parts.append("```bash\n" + "\n".join(examples) + "\n```\n")
        parts.append("| Option | What it does |\n|---|---|")
        parts += [f"| `{_cell(written)}` | {_cell(said)} |" for written, said in described(command)]
        parts.append("")
    return "\n".join(parts)


def event_page() -> str:
    """The page of what `bimetal run --json` prints."""
    parts = [f"{NOTE}# Events\n", "`bimetal run MODEL DATA --json` prints one event a line.\n"]
    for shape in (Event, Reason):
        parts += [f"## {shape.__name__}\n", f"{inspect.getdoc(shape)}\n", "| Field | Type |\n|---|---|"]
        parts += [f"| `{f.name}` | `{_cell(str(f.type))}` |" for f in dataclasses.fields(shape)]
        parts.append("")
    for words in (Kind, Cause):
        parts += [f"## {words.__name__}\n", f"{inspect.getdoc(words)}\n"]
        parts += [f"- `{word.value}`" for word in words]
        parts.append("")
    return "\n".join(parts)


def error_page() -> str:
    """The page of errors and exit codes."""
    said = inspect.getdoc(errors) or ""
    tree = "\n".join(line for line in said.splitlines() if line.startswith("    "))
    parts = [
        f"{NOTE}# Errors and exit codes\n",
        said.splitlines()[0],
        "\n```text",
        inspect.cleandoc(tree),
        "```\n",
    ]
    parts += ["Each message says what, where, and what to try.\n", "| Exit code | Means |\n|---|---|"]
    parts += [f"| {code} | {meaning} |" for code, meaning in CODES.items()]
    parts += ["", "| Error | Exit code | Means |\n|---|---|---|"]
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.Error):
            parts.append(f"| `{name}` | {kind.exit_code} | {_cell(inspect.getdoc(kind) or '')} |")
    return "\n".join(parts) + "\n"


def operator_page() -> str:
    """The page of operators: what each module of bimetal.program.operators says about itself."""
    import bimetal.program.operators as room

    parts = [f"{NOTE}# Operators\n", "Each is spelled in letters and runs on every target.\n"]
    for file in sorted(Path(room.__path__[0]).glob("[a-z]*.py")):
        module = importlib.import_module(f"{room.__name__}.{file.stem}")
        parts += [f"## {file.stem}\n", f"{inspect.getdoc(module) or ''}\n"]
        for name, member in inspect.getmembers(module, inspect.isclass):
            if member.__module__ == module.__name__ and not name.startswith("_"):
                parts += [f"**{name}**\n", f"{inspect.getdoc(member) or ''}\n"]
    return "\n".join(parts)


PAGES = {
    "cli.md": command_page,
    "event.md": event_page,
    "errors.md": error_page,
    "operators.md": operator_page,
}


def write(folder: Path) -> None:
    """Write every page into a folder, made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "reference")
