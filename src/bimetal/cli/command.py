"""Command: a click command whose help starts with an example."""

from __future__ import annotations

from typing import Any

import click


class Command(click.Command):
    """A command with `examples`, printed before anything else in its help."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then what click writes."""
        label = "Example: " if len(self.examples) == 1 else "Examples: "
        for k, example in enumerate(self.examples):
            formatter.write(f"{label if k == 0 else ' ' * len(label)}{example}\n")
        formatter.write_paragraph()
        super().format_help(ctx, formatter)


def as_json(help_text: str = "Print JSON on standard output.") -> Any:
    """The option `--json`, passed on as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)
