"""Judging: what somebody says on the page goes into the model that watches, as it watches.

page ── readings kept around the alarm ── patterns ── model file, signed ── the stream goes on with it
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bimetal.api import Live
from bimetal.api.card import model_view
from bimetal.api.feedback import Said
from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import write
from bimetal.cli.home import keys
from bimetal.cli.labelling import given, reach_of, stretches_of, where_of
from bimetal.cli.pace import quickest
from bimetal.cli.verdict import lines
from bimetal.learn.card import card_of
from bimetal.learn.label import Verdict
from bimetal.nouns.errors import NotFound
from bimetal.spine import HotWalk, bundle_of, stream_of


@dataclass(slots=True)
class Judging:
    """Models by the name of their stream, with the files they lie in; they change as people speak."""

    walk: HotWalk
    models: dict[str, tuple[Path, Bundle]]
    changed: Callable[[str, Bundle], None] = lambda _name, _bundle: None

    def judge(self, said: Said) -> str:
        """Let the model of an alarm know; returns in words what came of it.

        Raises BadInput for what is neither an alarm of a detector nor about a sensor, NotFound where its
        model is gone.
        """
        event = said.event
        where = where_of(event)
        name = self._name(event.id)
        path, bundle = self.models[name]
        card = card_of(bundle.card)
        since_ns, until_ns = reach_of(bundle, where)
        devices = None if said.everywhere else [event.device]
        kept = self.walk.archive.segments.batch(devices, None, since_ns, until_ns)
        words = (Verdict(said.verdict), said.name, "", said.everywhere)
        told = given(bundle, where, words, list(stretches_of(kept, card)), time.time_ns())
        made = bundle_of(told.known, time.time_ns(), lambda _stage, _part: None)
        fresh = stream_of(name, made, quickest())
        write(path, made, keys().signing_key())
        self.models[name] = (path, made)
        next(s for s in self.walk.streams if s.name == name).know(fresh)
        self.changed(name, made)
        return " ".join(list(lines(told, path.name))[:3])

    def _name(self, event_id: str) -> str:
        """Return whose event it is: batch:count:stream:device."""
        parts = event_id.split(":")
        if len(parts) >= 4 and parts[2] in self.models:
            return parts[2]
        if len(self.models) == 1:
            return next(iter(self.models))
        raise NotFound("the model of this alarm no longer watches", hint="Use bimetal feedback with its file")


def shown_on(page: Live, loop: asyncio.AbstractEventLoop) -> Callable[[str, Bundle], None]:
    """Return what shows a model on the page, from whatever thread it is called in."""

    def show(name: str, bundle: Bundle) -> None:
        loop.call_soon_threadsafe(page.set_model, model_view(name, bundle))

    return show
