"""Card: a learned model as the page shows it."""

from __future__ import annotations

from collections.abc import Sequence

from bimetal.api.view import BudgetRow, ModelView, Parity, UsualRange
from bimetal.bundle.bundle import Bundle
from bimetal.learn.calibrate import SECONDS, parse_budget
from bimetal.learn.card import card_of
from bimetal.nouns.device import FLEET
from bimetal.program.digest import digest
from bimetal.shrink.board import board_of
from bimetal.shrink.budget import fit_board, need_of
from bimetal.targets.agree import Agreement
from bimetal.wire.table.shape import counted

BOARD = "nucleo-l432kc"
"""The board a model's budget is shown for: a middling Cortex-M4."""


def model_view(name: str, bundle: Bundle, agreed: Sequence[Agreement] = ()) -> ModelView:
    """Return a model's card for the page; `agreed` is the proof, empty while there is none.

    The budget is what the model needs on one board of the table, estimated without a compiler.
    """
    card = card_of(bundle.card)
    promised = parse_budget(card.promise)
    board = board_of(BOARD)
    held = fit_board(need_of(bundle.program), board, period_s=card.period_s)
    usual = tuple(
        UsualRange(device, signal.name, ranges.low, ranges.high)
        for device, row in card.usual.items()
        if device != FLEET
        for signal, ranges in zip(card.signals, row, strict=True)
    )
    return ModelView(
        name=name,
        digest=digest(bundle.program).hex(),
        learned_from=f"{counted(card.rows, 'row')} of {counted(len(card.devices), 'machine')} with "
        f"{counted(len(card.signals), 'signal')}",
        budget=tuple(
            BudgetRow(row.name, row.used, row.limit, "B" if row.unit == "bytes" else row.unit)
            for row in held.rows
            if row.limit is not None
        ),
        parity=_parity(agreed),
        usual=usual,
        promised_per_day=promised.per_second * SECONDS["day"],
        promise=f"{card.promise} for each machine",
        target=f"on {board.part} ({board.processor})",
    )


def _parity(agreed: Sequence[Agreement]) -> Parity | None:
    if not agreed:
        return None
    equal = all(a.equal == a.vectors for a in agreed)
    return Parity(tuple(a.target for a in agreed), min(a.vectors for a in agreed), equal)
