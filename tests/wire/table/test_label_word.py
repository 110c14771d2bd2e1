"""Words of labels: which are taken, which are noted, and which are refused with what was meant."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.label import FAULTY, labels_of
from bimetal.wire.table.label_word import check_words


def check(*words: str) -> list[str]:
    """Notes on a column with these words, three rows each."""
    return check_words(dict.fromkeys(words, 3), "state", "a.csv")


@pytest.mark.parametrize(
    "words",
    [
        ("0", "1"),
        ("0.0", "1.0"),
        ("false", "true"),
        ("no", "yes"),
        ("n", "y"),
        ("normal", "anomaly"),
        ("ok", "abnormal"),
        ("healthy", "unhealthy"),
        ("-1", "1"),
        ("0",),
        ("1",),
        ("", "fault"),
        ("0", "1", "2", "3"),
        ("normal", "recovering", "broken"),
    ],
)
def test_plain_words_need_no_note(words: tuple[str, ...]) -> None:
    assert [n for n in check(*words) if "unhealthy" not in n] == []


def test_classes_are_noted() -> None:
    assert check("normal", "valve leak", "pump") == ["rows labelled 'valve leak', 'pump' count as faulty"]


def test_rows_without_a_label_are_noted() -> None:
    assert check("0", "1", "") == ["3 rows have no label, and count as healthy"]
    assert check("ok", "fault", "", "nan", "n/a") == ["9 rows have no label, and count as healthy"]


@pytest.mark.parametrize("word", sorted(FAULTY))
def test_words_of_faults_are_faults_though_some_also_stand_for_missing_numbers(word: str) -> None:
    cells = np.array([b"ok", word.encode(), word.upper().encode(), b"", b"nan"])
    assert labels_of(cells).tolist() == [False, True, True, False, False]
    assert check("ok", word) == []


@pytest.mark.parametrize(
    ("word", "meant"),
    [("norml", "normal"), ("helthy", "healthy"), ("fasle", "false"), ("no falt", "no fault")],
)
def test_a_slip_is_refused_with_what_was_meant(word: str, meant: str) -> None:
    with pytest.raises(BadInput, match=f"'{word}'.*there are.*Did you mean '{meant}'"):
        check("normal" if meant != "normal" else "ok", word)


@pytest.mark.parametrize(
    "words", [("red", "green"), ("1", "2", "3"), ("valve",), ("open", "closed", "fault")]
)
def test_words_none_of_which_is_healthy_are_refused_with_those_there(words: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match=f"no label in 'state' says that a row is healthy.*'{words[0]}'"):
        check(*words)


@pytest.mark.parametrize("words", [("0.5", "1.7", "0"), tuple(map(str, range(300)))])
def test_measurements_are_no_labels(words: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="measurements, not labels"):
        check(*words)


def test_many_and_long_words_are_cut_short() -> None:
    with pytest.raises(BadInput) as refused:
        check(*(f"{'x' * 500}{k}" for k in range(50)))
    assert len(refused.value.sentence()) < 700
    assert "and 42 more" in refused.value.sentence()
