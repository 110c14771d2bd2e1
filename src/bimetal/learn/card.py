"""Card: what a model knows about itself; it travels with the model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from bimetal.learn.label import Label
from bimetal.learn.leave import Span
from bimetal.learn.standout import Standout
from bimetal.learn.usual import Usual
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal


@dataclass(frozen=True, slots=True)
class CardSignal:
    """A signal the model was taught on: its name, unit, quantity, and the program's input it feeds.

    `missing` is the number that stood for no reading, None where there was none.
    """

    name: str
    unit: str
    quantity: str
    input: str
    missing: float | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """Data window, purpose, signals, usual ranges, promise and limits of a model.

    `usual` has a row for each device (FLEET for the others), with what is usual for each signal.
    Times count nanoseconds since 1970 UTC. `threshold` is on the raw score, which the program divides
    by it. `seen_alarms` is how many alarms its own history would have raised; `promise_confidence` how sure
    it is, 0..1, that the threshold alone keeps the promise. Of itself, without a change, the drift test
    speaks at most once in `drift_after_s` seconds; 0 where nothing is tested. `rows` counts the rows
    learned from, `rows_left_out` those called bad, `rows_thinned` those there was no room for.
    `columns` are the headings of the table it was taught on, for one that comes without them. `labels` is
    all that was ever said of its alarms, in order, what was taken back too. `profile` is "integer" where all
    between the readings and the scores is computed in whole numbers, else "f32". `standouts` are the moments
    that stand out in the history, and were learned from; `left_out` those that somebody left out as faults.
    """

    purpose: str
    signals: tuple[CardSignal, ...]
    devices: tuple[str, ...]
    rows: int
    rows_left_out: int
    rows_thinned: int
    first_ns: int
    last_ns: int
    period_s: float
    promise: str
    promise_words: str
    threshold: float
    seen_alarms: int
    warm_up_rows: int
    usual: dict[str, list[Usual]]
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    promise_confidence: float = 0.0
    drift_after_s: float = 0.0
    labels: tuple[Label, ...] = ()
    profile: str = "f32"
    standouts: tuple[Standout, ...] = ()
    left_out: tuple[Span, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as text, numbers, lists and mappings."""
        return asdict(self) | {"labels": msgspec.to_builtins(self.labels)}

    def signal_list(self) -> tuple[Signal, ...]:
        """Return the signals, in the program's order."""
        return tuple(
            Signal(s.name, s.unit, s.quantity, self.period_s, missing=s.missing) for s in self.signals
        )

    def usual_of(self, device: str) -> list[Usual]:
        """Return what is usual for a device's signals, the fleet's for one never met before."""
        return self.usual.get(device) or self.usual[FLEET]


def card_of(plain: object) -> Card:
    """Read a card back; raises BadInput when it is none."""
    try:
        card = msgspec.convert(plain, Card)
    except msgspec.ValidationError as error:
        raise BadInput(f"the model's card cannot be read: {error}", where="model") from None
    if FLEET not in card.usual or any(len(row) != len(card.signals) for row in card.usual.values()):
        raise BadInput("the model's card does not say what is usual for every signal", where="model")
    return card
