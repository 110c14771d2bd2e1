"""Teaching: the work of `bimetal train`, imported when it is called."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from bimetal.bundle.seal import check_free, write
from bimetal.cli.home import keys
from bimetal.cli.pace import quickest
from bimetal.cli.progress import Progress
from bimetal.cli.report import Report, Wish
from bimetal.cli.saying import say
from bimetal.cli.standing import span_of
from bimetal.cli.whole import check_place
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.search import Tier
from bimetal.nouns.errors import BadInput
from bimetal.spine import Lesson, Walked, cold
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import listed


def teach(wish: Wish, as_json: bool) -> None:
    """Learn, write the model, and report in words and figures.

    What can be refused before the data are read is refused before.
    """
    target = quickest()
    began_s = time.monotonic()
    budget = parse_budget(wish.false_alarms)
    spans = tuple(span_of(text) for text in wish.leave_out)
    check_place(wish.output, wish.data)
    check_free(wish.output)
    key = keys().signing_key()
    lesson = Lesson(budget, target, time.time_ns(), Tier(wish.tier), spans)
    walked = _learn(wish.data, wish.hints, lesson)
    size = write(wish.output, walked.taught.bundle, key)
    report = Report(wish, walked, size, target.name, time.monotonic() - began_s)
    if as_json:
        click.echo(json.dumps(report.figures()))
        return
    for line in report.lines():
        say(line)


def _learn(data: tuple[Path, ...], hints: Hints, lesson: Lesson) -> Walked:
    progress = Progress()
    try:
        return cold(data, hints, lesson, progress)
    except BadInput as error:
        if error.where:
            raise
        where = listed([str(path) for path in data], 3)
        raise BadInput(error.what, where=where, hint=error.hint) from None
    finally:
        progress.clear()
