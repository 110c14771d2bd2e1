"""The door for programs: the live view, HTTP, WebSocket and the page.

Feed a `Live` from the same event loop, then open the door:

    live = Live(window_s=120)
    live.set_plant("Pump house", [Device("pump-1")], [Signal("pressure", "bar", period_s=0.1)])
    async with serving(create_app(live), port=8765) as url:
        live.add_batch(batch)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bimetal.api.app import create_app
    from bimetal.api.live import Live
    from bimetal.api.server import bind, serve, serving
    from bimetal.api.view import BudgetRow, Counters, ModelView, Parity, Stage, UsualRange

_AT_HOME = {
    "BudgetRow": "view",
    "Counters": "view",
    "Live": "live",
    "ModelView": "view",
    "Parity": "view",
    "Stage": "view",
    "UsualRange": "view",
    "bind": "server",
    "create_app": "app",
    "serve": "server",
    "serving": "server",
}
__all__ = [
    "BudgetRow",
    "Counters",
    "Live",
    "ModelView",
    "Parity",
    "Stage",
    "UsualRange",
    "bind",
    "create_app",
    "serve",
    "serving",
]


def __getattr__(name: str) -> Any:
    if name not in _AT_HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_AT_HOME[name]}"), name)
