"""Agreement: a target that is wrong in one bit, anywhere, is told from one that is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.targets.agree import agree, difference
from bimetal.targets.numpy import NumpyTarget
from bimetal.targets.present import every_target
from bimetal.targets.target import Running
from bimetal.targets.vectors import make_vectors
from tests.targets.given import TOOLS, detector, small, small_vectors

Results = tuple[bytes, Any, Any]
Change = Callable[[Results], Results]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A target that changes what the law says."""

    change: Change
    name: str = "wrong"

    def present(self) -> str:
        """It is always there."""
        return ""

    def load(self, program: Program, block: bytes) -> WrongRunning:
        """Load the law."""
        return WrongRunning(NumpyTarget().load(program, block), self.change)


@dataclass(frozen=True, slots=True)
class WrongRunning:
    """The law, but for a change."""

    law: Running
    change: Change

    def run(self, state: bytes, rows: Any) -> Results:
        """Run the law and change what it says."""
        state, outputs, fired = self.law.run(state, rows)
        return self.change((state, outputs.copy(), fired.copy()))


def in_output(name: str, row: int, mask: int) -> Change:
    """Change bits of one output in one row."""

    def change(results: Results) -> Results:
        outputs = results[1]
        field = outputs[name].copy()
        field[row : row + 1].view(f"u{field.dtype.itemsize}")[...] ^= mask
        outputs[name] = field
        return results[0], outputs, results[2]

    return change


def in_state(results: Results) -> Results:
    """Change the last bit of the state."""
    return bytes([*results[0][:-1], results[0][-1] ^ 1]), results[1], results[2]


def in_fired(results: Results) -> Results:
    """Let the slow clock fire at the second reading."""
    results[2][1] |= 2
    return results


CHANGES: dict[str, tuple[Change, str]] = {
    "last bit": (in_output("scaled", 3, 1), r"row 3: scaled is .* \(0x"),
    "sign": (in_output("scaled", 0, 1 << 31), "row 0: scaled"),
    "whole number": (in_output("most", 5, 1), "row 5: most"),
    "truth value": (in_output("high", 2, 1), "row 2: high"),
    "state": (in_state, "state at the end"),
    "fired": (in_fired, "row 1: fired 11, not 1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_wrong_bit_is_told(change: str) -> None:
    program, block = small()
    wrong, says = CHANGES[change]
    vectors = small_vectors()
    (found,) = agree(program, block, vectors, [Wrong(wrong)])
    assert (found.target, found.vectors, found.equal) == ("wrong", len(vectors.runs), 0)
    assert re.search(says, found.first_difference), found.first_difference


def test_only_the_vectors_that_differ_are_counted() -> None:
    program, block = small()

    def at_infinity(results: Results) -> Results:
        return in_output("scaled", 0, 1)(results) if not np.isfinite(results[1]["scaled"]).all() else results

    (found,) = agree(program, block, small_vectors(), [Wrong(at_infinity)])
    assert 0 < found.equal < found.vectors
    assert "'infinite 1'" in found.first_difference or "'worst of all 1'" in found.first_difference


def test_another_nan_is_another_answer() -> None:
    program, block = small()
    law = NumpyTarget().load(program, block)
    rows = np.zeros(2, layout_of(program).input.dtype)
    _, expected, _ = law.run(b"\0" * layout_of(program).state.size, rows)
    expected = expected.copy()
    expected["scaled"] = np.nan
    other = expected.copy()
    other["scaled"] = np.array([0xFFC00000] * 2, np.uint32).view(np.float32)
    assert difference(layout_of(program).output, other, expected)[0] == 0
    assert "0xffc00000" in difference(layout_of(program).output, other, expected)[1]


def test_a_target_that_refuses_says_why() -> None:
    program, block = small()

    def refuse(results: Results) -> Results:
        raise Unsupported("there is no floating point here", where="abacus")

    (found,) = agree(program, block, small_vectors(), [Wrong(refuse)])
    assert found.equal == 0
    assert "there is no floating point here" in found.first_difference


def test_vectors_of_another_program_or_other_parameters_are_refused() -> None:
    program, block = small()
    other, _ = detector(1)
    with pytest.raises(BadInput, match="other parameters"):
        agree(program, small(gain=3.0)[1], small_vectors(), [NumpyTarget()])
    with pytest.raises(BadInput, match="another program"):
        agree(other, block, small_vectors(), [NumpyTarget()])


def test_targets_that_are_not_here_are_left_out() -> None:
    program, block = small()
    found = agree(program, block, small_vectors(), every_target())
    assert "c99" not in {a.target for a in found}
    assert "node" not in {a.target for a in found}


@pytest.mark.parametrize("make", [small, detector], ids=["small", "detector"])
def test_every_target_of_the_product_that_is_here_agrees(make: Callable[[], tuple[Program, bytes]]) -> None:
    program, block = make()
    vectors = make_vectors(program, block, seed=3, runs=6)
    found = agree(program, block, vectors, every_target(TOOLS))
    assert len(found) >= 2
    assert all((a.equal, a.first_difference) == (6, "") for a in found), found
