"""What the page is told about the plant, the model and the stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bimetal.nouns.device import Device
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal


class Stage(StrEnum):
    """How far the plant has come: first readings, learning normal, watching for what is not."""

    LISTENING = "listening"
    LEARNING = "learning"
    WATCHING = "watching"


@dataclass(frozen=True, slots=True)
class StageView:
    """The stage, how far through it (0..1), and one sentence about it in plain words."""

    stage: Stage = Stage.LISTENING
    progress: float = 0.0
    words: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.progress <= 1.0:
            raise BadInput(f"progress goes from 0 to 1, not {self.progress}", where="stage")


@dataclass(frozen=True, slots=True)
class PlantView:
    """The machines on the page and the signals each of them has."""

    title: str = ""
    devices: tuple[Device, ...] = ()
    signals: tuple[Signal, ...] = ()

    def __post_init__(self) -> None:
        if len({d.id for d in self.devices}) < len(self.devices):
            raise BadInput("two devices have the same id", where=self.title or "plant")
        if len({s.name for s in self.signals}) < len(self.signals):
            raise BadInput("two signals have the same name", where=self.title or "plant")


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One line of the model's budget: what it uses of what it may use, in `unit` (`B` for bytes)."""

    name: str
    used: float
    limit: float
    unit: str = ""

    @property
    def fits(self) -> bool:
        """True when no more is used than allowed."""
        return self.used <= self.limit


@dataclass(frozen=True, slots=True)
class Parity:
    """The proof that every target gives the same bits: how many vectors, on which targets."""

    targets: tuple[str, ...]
    vectors: int
    equal: bool


@dataclass(frozen=True, slots=True)
class UsualRange:
    """The range `low`..`high` one signal of one device usually keeps, in the signal's unit."""

    device: str
    signal: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ModelView:
    """The model's card as the page shows it.

    `promised_per_day` is the rate of false alarms promised for each device, `promise` the
    same in words ("one a week for each machine"); `learned_from` says from which data.
    """

    name: str
    digest: str
    learned_from: str
    budget: tuple[BudgetRow, ...] = ()
    parity: Parity | None = None
    usual: tuple[UsualRange, ...] = ()
    promised_per_day: float = float("nan")
    promise: str = ""
    target: str = ""


@dataclass(slots=True)
class Counters:
    """What was counted since the start; None where nobody can know it."""

    readings: int = 0
    scored: int = 0
    late: int = 0
    alarms: int = 0
    faults_injected: int | None = None
    faults_found: int | None = None
    false_alarms: int | None = None
    p99_ms: float | None = None
    watched_device_days: float = field(default=0.0)
