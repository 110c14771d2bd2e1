"""The app as a whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import bimetal.api
from bimetal.api import create_app
from tests.api.asgi import ask
from tests.api.plant import small


def test_it_answers_before_it_beats_and_stops_beating_at_the_end() -> None:
    app = create_app(small(), tick_s=0.001)
    assert ask(app, "/api/v1/health").status == 200

    async def live_through() -> bool:
        async with app.router.lifespan_context(app):
            await asyncio.wait_for(app.state.fanout.next_pulse(), 2)
            assert not app.state.fanout.closed
        return app.state.fanout.closed

    assert asyncio.run(live_through())


def test_another_folder_can_hold_the_page(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("another")
    assert ask(create_app(small(), page=tmp_path), "/").body == b"another"


def test_every_name_of_the_room_is_there() -> None:
    assert all(getattr(bimetal.api, name) for name in bimetal.api.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bimetal.api.nothing
