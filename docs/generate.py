"""Writes docs/reference/ from the code: commands, events, errors, operators. Run: python docs/generate.py."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from bimetal.cli.door import COMMANDS, bimetal
from bimetal.keep import event_line
from bimetal.nouns import errors
from bimetal.nouns.event import Cause, Event, Kind, Reason
from bimetal.program.operator import Example, knobs_of, operators
from tests.agree.page import target_page

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
    """The page of what `bimetal run --json` prints: the fields, and one event as it comes."""
    event = Event(
        Kind.ALARM,
        "pump-04",
        1_767_225_909_700_000_000,
        1.25,
        True,
        Cause.PROCESS,
        (
            Reason("temperature", 0.75, 19.9, 39.1, 51.0, "Cel"),
            Reason("pressure", 0.125, 3.4, 3.1, 4.1, "bar"),
        ),
        "pump-04: temperature 19.9 Cel is far below its usual 39.1 to 51 (75% of the alarm).",
        1_767_225_909_700_000_000,
    )
    shown = json.dumps(json.loads(event_line.to_line(event)), indent=2)
    parts = [f"{NOTE}# Events\n", "`bimetal run MODEL DATA --json` prints one event a line.\n"]
    parts += [f"{inspect.getdoc(event_line)}\n", "One event, on several lines to be read more easily:\n"]
    parts += [f"```json\n{shown}\n```\n", "## Kinds and causes\n"]
    parts += [f"- `{word.value}`" for words in (Kind, Cause) for word in words]
    return "\n".join(parts) + "\n"


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
    """The page of operators: what each says about itself, its knobs, its examples, where it comes from."""
    parts = [f"{NOTE}# Operators\n", "Each is spelled in letters and runs on every target.\n"]
    for name, kind in operators().items():
        parts += [f"## {name}\n", f"{inspect.getdoc(kind) or ''}\n"]
        knobs = list(knobs_of(kind))
        if knobs:
            parts.append("| Knob | What it is | Unit | Range | Unless said |\n|---|---|---|---|---|")
            parts += [
                f"| `{k.name}` | {_cell(k.what)} | {k.unit} | {k.low} to {k.high} | {k.default} |"
                for k in knobs
            ]
            parts.append("")
        parts += [f"```text\n{shown(example)}\n```\n" for example in kind.examples()]
        parts += [f"- {_cell(reference)}" for reference in kind.references]
        parts.append("")
    return "\n".join(parts)


def shown(example: Example) -> str:
    """An example in a few lines: the operator, its signals, what it gives."""
    given = [f"  takes  {_numbers(np.asarray(signal))}" for signal in example.signals]
    answers = [f"  gives  {_numbers(np.asarray(answer))}" for answer in example.gives]
    return "\n".join([_cut(repr(example.operator)), *given, *answers])


def _numbers(values: NDArray[Any]) -> str:
    text = np.array2string(
        values, threshold=12, edgeitems=4, separator=" ", max_line_width=10_000, precision=6
    )
    return _cut(" ".join(text.split()))


def _cut(text: str, most: int = 100) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 3]}..."


PAGES = {
    "cli.md": command_page,
    "event.md": event_page,
    "errors.md": error_page,
    "operators.md": operator_page,
    "targets.md": lambda: NOTE + target_page(),
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
