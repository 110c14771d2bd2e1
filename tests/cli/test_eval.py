"""`bimetal eval`: figures, page and JSON for a model and labels, and hostile labels refused in a sentence."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.cli.ground import HEAD, Ended, broken, call, rows, table

ROWS = broken(rows(1200, seed=4), since=900)


def labelled(label: Any = lambda k: int(900 <= k < 1000), head: str = "fault") -> str:
    """The table of a machine that breaks at row 900, with a label for each row."""
    return table([f"{row},{label(k)}" for k, row in enumerate(ROWS)], f"{HEAD},{head}")


def judged(quiet: Path, tmp_path: Path, text: str, *more: object, label: str | None = "fault") -> Ended:
    """Judge the quiet model on a table."""
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    named = ["--label", label] if label else []
    return call("eval", quiet / "quiet.bm", tmp_path / "data.csv", *named, *more)


def figures(ended: Ended) -> dict[str, Any]:
    """What it said as JSON."""
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_a_fault_is_found_and_everybody_stands_beside_it(quiet: Path, tmp_path: Path) -> None:
    told = figures(judged(quiet, tmp_path, labelled(), "--json"))
    names = [d["name"] for d in told["detectors"]]
    assert names == ["bimetal", "random", "all ones", "z-score > 3", "seasonal naive > 3"]
    ours, chance, ones = told["detectors"][:3]
    assert (told["rows"], told["faulty_rows"], told["events"]) == (1200, 100, 1)
    assert ours["found"] == ours["recall"] == 1
    assert ours["vus_pr"] > 2 * chance["vus_pr"]
    assert (ones["far"], ones["mar"]) == (1, 0)
    assert ours["delay_s"] < 60
    assert told["promise"] == "1/week"
    assert told["promised_per_day"] == pytest.approx(1 / 7)
    assert told["state_bytes"] > 100
    assert ours["rows_per_second"] > 100
    assert ours["intervals"]["far"][0] <= ours["far"] <= ours["intervals"]["far"][1]


def test_it_is_the_same_for_the_same_seed_but_for_the_clock(quiet: Path, tmp_path: Path) -> None:
    first, again = (figures(judged(quiet, tmp_path, labelled(), "--json", "--seed", 3)) for _ in range(2))
    for told in (first, again):
        for one in told["detectors"]:
            del one["rows_per_second"]
    assert first == again
    assert first["seed"] == 3


def test_in_words_it_says_promise_delivery_and_seed(quiet: Path, tmp_path: Path) -> None:
    ended = judged(quiet, tmp_path, labelled(), "--seed", 9)
    assert ended.code == 0
    for words in ("promised: 1/week", "delivered:", "found: 1 of 1 event", "VUS-PR", "seed 9", "all ones"):
        assert words in ended.out
    assert "point" not in ended.out


def test_what_comes_later_changes_no_alarm(quiet: Path, tmp_path: Path) -> None:
    whole = figures(judged(quiet, tmp_path, labelled(), "--json"))
    part = "\n".join(labelled().splitlines()[:1051]) + "\n"
    cut = figures(judged(quiet, tmp_path, part, "--json"))
    assert cut["detectors"][0]["delay_s"] == whole["detectors"][0]["delay_s"]


class _Seen(HTMLParser):
    """Collects tags, and what they would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [v or "" for k, v in attrs if k in ("src", "href", "data", "action")]


def test_the_page_stands_alone(quiet: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert judged(quiet, tmp_path, labelled(), "--report", page).code == 0
    text = page.read_text(encoding="utf-8")
    seen = _Seen()
    seen.feed(text)
    assert {"svg", "table", "h1"} <= seen.tags
    assert not seen.tags & {"script", "link", "img", "iframe"}
    assert not seen.fetched
    assert "http" not in re.sub(r'http-equiv="', "", text)
    assert "color-scheme: light dark" in text
    for words in ("Promised against delivered", "Precision and recall", "Over time", "seasonal naive"):
        assert words in text


def test_names_are_text_on_the_page(quiet: Path, tmp_path: Path) -> None:
    device = '<script>alert("x")</script>'
    lines = [f"{row},{int(k > 900)},{device}" for k, row in enumerate(ROWS)]
    page = tmp_path / "page.html"
    ended = judged(
        quiet, tmp_path, table(lines, f"{HEAD},fault,machine"), "--report", page, "--device", "machine"
    )
    assert ended.code == 0, ended.err
    assert "<script" not in page.read_text(encoding="utf-8")


def test_events_from_a_file_and_whom_they_blame(quiet: Path, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("first,last,signals\n900,999,flow\n", encoding="utf-8")
    text = table(ROWS)
    told = figures(judged(quiet, tmp_path, text, "--events", tmp_path / "e.csv", "--json", label=None))
    same = figures(judged(quiet, tmp_path, labelled(), "--causes", tmp_path / "e.csv", "--json"))
    assert told["faulty_rows"] == same["faulty_rows"] == 100
    for one in (told, same):
        ours = one["detectors"][0]
        assert (ours["hit_100"], ours["top_1"]) == (1, 1)
        assert one["detectors"][1]["hit_100"] is None
    assert figures(judged(quiet, tmp_path, labelled(), "--json"))["detectors"][0]["hit_100"] is None


def test_events_beyond_the_data_are_noted(quiet: Path, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("first,last\n900,999\n5000,6000\n", encoding="utf-8")
    ended = judged(quiet, tmp_path, table(ROWS), "--events", tmp_path / "e.csv", label=None)
    assert ended.code == 0
    assert "1 of 2 events lie outside of the data" in ended.err


def test_several_files_are_devices_with_mean_and_worst(quiet: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(labelled(lambda k: int(200 <= k < 260)), encoding="utf-8")
    ended = judged(quiet, tmp_path, labelled(), tmp_path / "other.csv")
    assert ended.code == 0, ended.err
    assert "2 devices with events: VUS-PR mean" in ended.out
    assert ended.out.index("  other:") < ended.out.index("  data:")


def test_ten_rows(quiet: Path, tmp_path: Path) -> None:
    text = table([f"{row},{int(k == 7)}" for k, row in enumerate(ROWS[:10])], f"{HEAD},fault")
    told = figures(judged(quiet, tmp_path, text, "--json"))
    assert told["rows"] == 10
    assert told["detectors"][0]["found"] == 0


def test_all_healthy_is_half_judged(quiet: Path, tmp_path: Path) -> None:
    ended = judged(quiet, tmp_path, labelled(lambda _: 0), "--json", "--report", tmp_path / "p.html")
    ours = figures(ended)["detectors"][0]
    assert "only false alarms can be judged" in ended.err
    assert ours["vus_pr"] is ours["f1"] is ours["recall"] is None
    assert ours["false_alarms"] >= 1


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (lambda _: 1, "calls every row faulty"),
        (lambda k: "norml" if k % 2 else "ok", "Did you mean 'normal'?"),
        (lambda k: "red" if k % 2 else "green", "says that a row is healthy"),
        (lambda k: k / 7, "measurements, not labels"),
    ],
    ids=["all faulty", "slip", "colours", "numbers"],
)
def test_labels_that_say_nothing_are_refused(quiet: Path, tmp_path: Path, label: Any, words: str) -> None:
    assert words in judged(quiet, tmp_path, labelled(label), "--report", tmp_path / "p.html").sentence(1)
    assert not (tmp_path / "p.html").exists()


def test_missing_labels_are_healthy_and_noted(quiet: Path, tmp_path: Path) -> None:
    text = labelled(lambda k: "" if k < 100 else int(900 <= k < 1000))
    ended = judged(quiet, tmp_path, text, "--json")
    assert figures(ended)["faulty_rows"] == 100
    assert "100 rows have no label" in ended.err


def test_text_classes_are_noted(quiet: Path, tmp_path: Path) -> None:
    ended = judged(quiet, tmp_path, labelled(lambda k: "leak" if k >= 900 else "normal"), "--json")
    assert figures(ended)["faulty_rows"] == 300
    assert "'leak'" in ended.err


def test_a_label_column_that_is_not_there_names_the_nearest(quiet: Path, tmp_path: Path) -> None:
    assert "Did you mean fault" in judged(quiet, tmp_path, labelled(), label="falt").sentence(1)


def test_no_label_at_all_says_what_to_give(quiet: Path, tmp_path: Path) -> None:
    assert "--events" in judged(quiet, tmp_path, table(ROWS), label=None).sentence(1)


def test_a_device_that_is_not_there(quiet: Path, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("first,last,device\n900,999,dat\n", encoding="utf-8")
    ended = judged(quiet, tmp_path, table(ROWS), "--events", tmp_path / "e.csv", label=None)
    assert "Did you mean data?" in ended.sentence(1)


def test_times_out_of_order_are_put_right(quiet: Path, tmp_path: Path) -> None:
    head, *lines = labelled().splitlines()
    shuffled = "\n".join([head, *lines[600:], *lines[:600]]) + "\n"
    told = figures(judged(quiet, tmp_path, shuffled, "--json"))
    plain = figures(judged(quiet, tmp_path, labelled(), "--json"))
    assert told["detectors"][0]["vus_pr"] == plain["detectors"][0]["vus_pr"]


def test_a_model_of_other_signals(quiet: Path, tmp_path: Path) -> None:
    lines = [f"{row},{int(k > 900)}" for k, row in enumerate(ROWS)]
    sentence = judged(quiet, tmp_path, table(lines, "time,wind,rain,fault")).sentence(1)
    assert "2 of 2 signals are not there" in sentence
    assert "wind, rain" in sentence


def test_more_than_memory_holds_is_refused(
    quiet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bimetal.cli.labelled.MOST_CELLS", 1000)
    assert "too many to be judged at once" in judged(quiet, tmp_path, labelled()).sentence(1)


def test_an_unknown_library(quiet: Path, tmp_path: Path) -> None:
    assert "river, pyod, scikit-learn" in judged(quiet, tmp_path, labelled(), "--against", "keras").sentence(
        1
    )


def test_others_are_told_apart_and_learn_from_a_history(quiet: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn")
    more = ("--against", "scikit-learn", "--history", quiet / "quiet.csv", "--json")
    told = figures(judged(quiet, tmp_path, labelled(), *more))
    assert [d["name"] for d in told["detectors"]][5:] == [
        "scikit-learn IsolationForest",
        "scikit-learn LocalOutlierFactor",
        "scikit-learn EllipticEnvelope",
    ]
    assert told["others_learned_from"] == "the history given"
    assert all(d["vus_pr"] > 0.1 and d["rows_per_second"] > 0 for d in told["detectors"][5:])


def test_the_report_overwrites_nothing_that_is_read(quiet: Path, tmp_path: Path) -> None:
    ended = judged(quiet, tmp_path, labelled(), "--report", tmp_path / "data.csv")
    assert "overwrite" in ended.sentence(1)


def test_what_the_model_learned_from_is_said_to_flatter(quiet: Path, tmp_path: Path) -> None:
    ended = judged(quiet, tmp_path, labelled(), "--json", "--report", tmp_path / "p.html")
    assert "flatters it" in ended.err
    assert any("flatters it" in note for note in figures(ended)["notes"])
    assert "flatters it" in (tmp_path / "p.html").read_text(encoding="utf-8")
