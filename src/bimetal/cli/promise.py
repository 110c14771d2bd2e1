"""Promise: how many false alarms a model allows itself, and how far that can be trusted, in words."""

from __future__ import annotations

from bimetal.learn.calibrate import Budget, parse_budget
from bimetal.learn.card import Card
from bimetal.program.operators.budgeted_alarm import BudgetedAlarm
from bimetal.wire.table.shape import length

RESERVE = BudgetedAlarm().burst
LEAST_SURE = 0.005
"""Below it a history is far too short to be sure of anything, which its length says better."""


def promise_lines(card: Card) -> list[str]:
    """Say what is promised and what that rests on, in sentences that need no statistics."""
    if not card.promise:
        return []  # a model that was trained elsewhere raises no alarms
    budget = parse_budget(card.promise)
    seen_s = card.rows * (card.period_s or 1.0)
    alone = len(card.devices) == 1
    seen = f"{length(seen_s)} of history{'' if alone else ', all devices together,'}"
    allowed = seen_s * budget.per_second
    raised = f"{card.seen_alarms:,} {'is' if card.seen_alarms == 1 else 'are'} raised there"
    if allowed >= 1:
        rests = f"measured: in {seen} {allowed:,.0f} would be allowed; {raised}"
    else:
        rests = (
            f"not measured but extrapolated: {seen} is {100 * allowed:.2g}% of the "
            f"{length(1 / budget.per_second)} in which one is allowed"
            f"{f'; {raised}' if card.seen_alarms else ''}; train on more to make it firm"
        )
    lines = [f"promise: at most {_rate(budget)}{'' if alone else ' for each device'}", f"  {rests}"]
    sure = card.promise_confidence
    lines.append(
        f"  kept in any case: what goes beyond it is held back, once {RESERVE} in reserve are spent"
        f"{f'; {100 * sure:.0f}% sure that nothing will be' if sure >= LEAST_SURE else ''}"
    )
    if card.drift_after_s:
        lines.append(
            "  a drift test says when it no longer holds; without a change it does so at most once in "
            f"{length(card.drift_after_s)}"
        )
    return lines


def _rate(budget: Budget) -> str:
    alarms = "false alarm" if budget.count == 1 else "false alarms"
    return f"{budget.count:g} {alarms} {'an' if budget.span == 'hour' else 'a'} {budget.span}"
