"""Errors are one tree and one line each, whatever is in them."""

from __future__ import annotations

import pytest

from bimetal.nouns import errors
from bimetal.nouns.errors import BadInput, Error, NotFound

ALL: list[type[Error]] = [found for found in vars(errors).values() if isinstance(found, type)]


def test_all_are_of_one_tree_and_say_who_can_mend_it() -> None:
    assert all(issubclass(kind, Error) and kind.__doc__ for kind in ALL)
    assert {kind.exit_code for kind in ALL} == {1, 3, 4, 5}
    assert issubclass(NotFound, BadInput)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (Error("no"), "no."),
        (Error("no.", where="a.csv", hint="Try b."), "a.csv: no. Try b."),
        (Error("no", hint="Did you mean b?"), "no. Did you mean b?"),
        (Error("two\nlines", where="\x1b[31mred"), "\ufffd[31mred: two lines."),
        (Error("\u202eevil"), "\ufffdevil."),
    ],
)
def test_each_is_one_line_that_cannot_move_the_cursor(error: Error, says: str) -> None:
    assert error.sentence() == str(error) == says
    assert error.sentence().isprintable()
