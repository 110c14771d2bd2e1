"""Table: what every target made of the programs, in lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from tests.agree.gap import GAPS
from tests.agree.journey import READINGS, travellers
from tests.agree.machine import Machine, absence
from tests.agree.proof import Verdict

HEAD = f"{'target':<16}{'programs':>10}{'runs':>8}{'equal':>8}{'gaps':>6}{'seconds':>9}"


def line(found: Verdict) -> str:
    """Return the line of a target, with what is wrong below it."""
    if found.absent:
        return f"{found.target:<16}  {found.absent}"
    text = f"{found.target:<16}{found.programs:>10,}{found.runs:>8,}{found.equal:>8,}"
    text += f"{len(found.gaps):>6}{found.seconds:>9.1f}"
    return "\n".join([text, *(f"    {name}: {said}" for name, said in found.wrong.items())])


def summary(verdicts: Sequence[Verdict]) -> str:
    """Return in a sentence what was seen of all targets together."""
    ran = [v for v in verdicts if not v.absent]
    runs, equal = sum(v.runs for v in ran), sum(v.equal for v in ran)
    whole, gaps = sum(v.whole for v in ran), sum(len(v.gaps) for v in ran)
    wrong = sum(len(v.wrong) for v in ran)
    said = f"{whole} of {len(ran)} targets give the law's bits in every run; "
    said += f"{equal:,} of {runs:,} runs are equal"
    said += f"; {gaps} declared gaps" if gaps else ""
    return said + (f"; {wrong} programs are WRONG" if wrong else "; nothing else differs")


def travel(machines: Sequence[Machine], lost: dict[str, str]) -> str:
    """Return in lines what came of the devices that went through all machines."""
    through = sum(not absence(m) for m in machines)
    said = f"{len(travellers())} devices moved through {through} targets, {READINGS} readings on each: "
    if not lost:
        return said + "outputs and states are those of devices that stayed"
    return "\n".join([f"{said}WRONG", *(f"    {name}: {text}" for name, text in lost.items())])


def as_json(verdicts: Sequence[Verdict], lost: dict[str, str]) -> dict[str, Any]:
    """Return all verdicts as JSON can hold them, gaps with their kind and reason."""
    return {
        "targets": [
            {**asdict(v), "gaps": [gap(v.target, *item) for item in v.gaps.items()]} for v in verdicts
        ],
        "whole": sum(v.whole for v in verdicts),
        "wrong": sum(len(v.wrong) for v in verdicts),
        "moved": {"devices": len(travellers()), "readings": READINGS, "wrong": lost},
    }


def gap(target: str, program: str, said: str) -> dict[str, str]:
    """Return a gap as JSON can hold it."""
    declared = GAPS[target, program]
    return {"program": program, "kind": declared.kind, "said": said, "because": declared.because}
