"""The terminal: one plain sentence a line."""

from __future__ import annotations

import io

import pytest

from bimetal.nouns import Kind
from bimetal.nouns.errors import Error
from bimetal.tell.channels.terminal import Terminal, line_of
from tests.tell.given import notice


def test_a_notice_is_one_line() -> None:
    stream = io.StringIO()
    Terminal(stream).tell(notice(at_s=0.75))
    assert stream.getvalue() == "2023-11-14 22:13:20Z  ALARM    pump  Temperature is high.\n"


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_named(kind: Kind) -> None:
    assert f"  {kind.upper()}" in line_of(notice(kind=kind))


def test_a_reader_that_went_away_is_said() -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(Error, match="Broken pipe"):
        Terminal(Gone()).tell(notice())
