"""Others: each library's detectors, fitted on the same stretch, none looking ahead."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from bimetal.learn.metric.against import LIBRARIES, LOOKS_AHEAD, asked_of
from bimetal.nouns.errors import BadInput, Unsupported

RNG = np.random.default_rng(1)
VALUES = RNG.normal(size=(500, 3))
VALUES[430:440, 0] += 12
MODULES = {"river": "river", "pyod": "pyod", "scikit-learn": "sklearn"}
EACH = [(library, name) for library, judges in LIBRARIES.items() for name in judges]


def judge(library: str, name: str):
    """A detector, or a skip where its library is not here."""
    pytest.importorskip(MODULES[library], reason=f"needs {library}: pip install 'bimetal[compare]'")
    return LIBRARIES[library][name]


@pytest.mark.parametrize(("library", "name"), EACH)
def test_a_plain_outlier_scores_above_the_rest(library: str, name: str) -> None:
    said = judge(library, name)(VALUES, 300, 0.001, 0)
    assert said.score.shape == said.alarm.shape == (500,)
    assert np.median(said.score[430:440]) > np.quantile(said.score[300:430], 0.9)


@pytest.mark.parametrize(("library", "name"), EACH)
def test_what_comes_later_changes_nothing_unless_the_name_says_so(library: str, name: str) -> None:
    later = VALUES.copy()
    later[450:] = 50.0
    runs = judge(library, name)
    before, after = (runs(v, 300, 0.001, 0).score[:450] for v in (VALUES, later))
    assert np.allclose(before, after) == (LOOKS_AHEAD not in name)


def test_libraries_are_named_with_commas_and_once() -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    assert list(asked_of(" sklearn, scikit-learn ,")) == list(LIBRARIES["scikit-learn"])
    assert asked_of("") == {}


def test_an_unknown_library_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadInput, match="river, pyod, scikit-learn"):
        asked_of("tensorflow")


@pytest.mark.parametrize("library", MODULES)
def test_a_missing_library_says_what_brings_it(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULES[library], None)
    with pytest.raises(Unsupported, match=r"pip install bimetal\[compare\]"):
        asked_of(library)
