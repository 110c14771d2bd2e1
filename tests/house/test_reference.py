"""Every command and option says what it does, and the reference pages are made from that."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bench.house import PACKAGE
from bimetal.cli.door import COMMANDS
from bimetal.keep.event_line import from_line
from bimetal.program.operator import operators
from docs import generate
from tests.agree.gap import GAPS
from tests.agree.metal import EVERYWHERE
from tests.agree.page import FAMILIES


def test_every_command_and_option_is_described() -> None:
    silent = [
        f"{name} {written}"
        for name, command in generate.commands()
        for written, said in [("", command.help or ""), *generate.described(command)]
        if len(said.split()) < 2
    ]
    assert not silent


def test_every_command_that_is_written_is_in_the_reference(tmp_path: Path) -> None:
    generate.write(tmp_path)
    page = (tmp_path / "cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert not (PACKAGE / "cli" / f"{name}.py").exists() or f"## bimetal {name}\n" in page


def test_the_pages_are_tables_that_hold(tmp_path: Path) -> None:
    generate.write(tmp_path)
    for page in generate.PAGES:
        text = (tmp_path / page).read_text(encoding="utf-8")
        assert text.startswith("<!-- Written by")
        columns = [len(re.findall(r"(?<!\\)\|", row)) for row in text.splitlines() if row.startswith("|")]
        assert all(2 < n < 9 for n in columns)
        assert text.count("```") % 2 == 0


def test_every_error_has_a_documented_exit_code(tmp_path: Path) -> None:
    from bimetal.nouns import errors

    generate.write(tmp_path)
    page = (tmp_path / "errors.md").read_text(encoding="utf-8")
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.Error)]
    assert len(kinds) >= 8
    for kind in kinds:
        assert f"| `{kind.__name__}` | {kind.exit_code} |" in page
        assert kind.exit_code in generate.CODES


def test_every_operator_is_in_the_reference_with_an_answer(tmp_path: Path) -> None:
    generate.write(tmp_path)
    page = (tmp_path / "operators.md").read_text(encoding="utf-8")
    kinds = operators()
    assert len(kinds) >= 8
    for name, kind in kinds.items():
        part = page.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
        assert (kind.__doc__ or "").split("\n")[0] in part
        assert part.count("  gives  ") >= 1


def test_the_event_of_the_page_is_read_back_with_every_field_explained(tmp_path: Path) -> None:
    generate.write(tmp_path)
    page = (tmp_path / "event.md").read_text(encoding="utf-8")
    shown = json.loads(page.split("```json\n", 1)[1].split("```", 1)[0])
    assert from_line(json.dumps(shown).encode()).reasons[0].signal == "temperature"
    for field in [*shown, *shown["explanation"][0]]:
        assert f"`{field}`" in page


def test_every_gap_is_on_the_page_of_targets_and_every_operator_has_its_row(tmp_path: Path) -> None:
    generate.write(tmp_path)
    page = (tmp_path / "targets.md").read_text(encoding="utf-8")
    for (target, program), gap in GAPS.items():
        assert f"| {target} | {program} | {gap.kind} |" in page
    rows = {name: re.findall(rf"^\| `{name}` \|(.+)$", page, re.M) for name in operators()}
    assert all(len(found) == 1 for found in rows.values())
    assert "notimpl" in rows["pool"][0]
    assert "notimpl" not in rows["ewma"][0]
    assert {m.name for m in EVERYWHERE} <= {name for names in FAMILIES.values() for name in names}
