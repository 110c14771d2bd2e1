"""The page in a real browser: smooth, quiet in the console, within its policy, on a phone, by keyboard."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.browser import Browser, browser, chromium

ROOT = Path(__file__).parents[2]
MODULES = Path(os.environ.get("BIMETAL_NODE_MODULES", ROOT / "node_modules"))
MOST_FIRST_BYTES = 200_000
pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium, which is not installed here")


def plant(stage: str) -> Iterator[str]:
    """Run the made-up plant in a process of its own and give its address."""
    command = [sys.executable, "-m", "tests.api.fake_plant", "--port", "0", "--stage", stage]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture(scope="module")
def watching() -> Iterator[str]:
    yield from plant("watching")


@pytest.fixture(scope="module")
def one_browser() -> Iterator[Browser]:
    with browser() as tab:
        yield tab


@pytest.fixture
def tab(one_browser: Browser) -> Browser:
    one_browser.open("about:blank")
    one_browser.shape(1440, 1000)
    one_browser.complaints.clear()
    return one_browser


def opened(tab: Browser, url: str) -> Browser:
    tab.open(url)
    tab.wait_for("globalThis.bimetal?.frames > 0")
    return tab


def text(tab: Browser, selector: str) -> str:
    return tab.run(f"document.querySelector({selector!r})?.innerText ?? ''")


def test_ten_updates_a_second_are_shown(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    time.sleep(1)
    rates = []
    for _ in range(3):
        before = tab.run("[bimetal.drawn, performance.now()]")
        time.sleep(3)
        after = tab.run("[bimetal.drawn, performance.now()]")
        rates.append(1000 * (after[0] - before[0]) / (after[1] - before[1]))
        if rates[-1] >= 9:
            break
    assert max(rates) >= 9, f"a busy machine may draw fewer, but not three times over: {rates}"
    assert tab.complaints == []


def test_the_first_page_is_small_backlog_and_all(tab: Browser, watching: str) -> None:
    tab.ask("Network.setCacheDisabled", cacheDisabled=True)
    tab.received = 0
    opened(tab, watching)
    assert 50_000 < tab.received < MOST_FIRST_BYTES
    tab.ask("Network.setCacheDisabled", cacheDisabled=False)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("route", ["", "#/machine/pump-3", "#/machine/nobody"])
def test_nothing_scrolls_sideways_on_a_phone(tab: Browser, watching: str, route: str, dark: bool) -> None:
    tab.shape(390, 844, dark=dark)
    opened(tab, f"{watching}/{route}")
    time.sleep(0.5)
    assert tab.run("document.documentElement.scrollWidth") == 390
    assert tab.complaints == []


def test_alarms_are_said_in_words(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    panel = text(tab, "aside")
    for words in (
        "Vibration is far above usual",
        "process alarm",
        "sensor trouble",
        "alarm above 1.00",
        "62 %",
        "since ",
    ):
        assert words in panel
    for words in ("fits", "same bits everywhere", "512 golden vectors", "one a week for each machine"):
        assert words in panel
    tab.wait_for("document.querySelector('article.machine.alarm .word') !== null")
    machine = text(tab, "article.machine.alarm")
    assert "pump-3" in machine
    assert "above usual" in machine
    tab.wait_for("document.body.innerText.includes('silent for')")


def test_a_machine_opens_and_closes_by_keyboard(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    for _ in range(12):
        tab.press("Tab")
        if tab.run("document.activeElement.innerText") == "pump-2":
            break
    tab.press("Enter")
    tab.wait_for("document.querySelector('#opened')?.innerText === 'pump-2'")
    tab.wait_for("document.activeElement.innerText.includes('All machines')")
    tab.wait_for("document.querySelectorAll('.large canvas').length === 6")
    tab.press("Escape")
    tab.wait_for("document.querySelectorAll('article.machine').length === 8")
    assert tab.complaints == []


def test_a_pointer_on_one_chart_reads_them_all(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    tab.run("globalThis.box = document.querySelector('.plot').getBoundingClientRect(); 0")
    x, y = tab.run("[box.x + box.width / 3, box.y + box.height / 2]")
    tab.point(x, y)
    tab.wait_for("/\\d\\d:\\d\\d/.test(document.querySelector('.look b').innerText)")
    tab.point(5, 5)
    tab.wait_for("document.querySelector('.look b').innerText === 'now'")


def test_the_slider_looks_back_by_keyboard(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    tab.run("document.querySelector('.look input').focus()")
    for _ in range(3):
        tab.press("ArrowLeft")
    tab.wait_for("document.querySelector('.look input').getAttribute('aria-valuetext').endsWith('ago')")


def test_acknowledging_is_seen_by_every_tab(tab: Browser) -> None:
    for url in plant("watching"):
        opened(tab, url)
        tab.run("document.querySelector('.alarm-entry button').click()")
        tab.wait_for("document.querySelector('.alarm-entry.seen') !== null")
        opened(tab, url)
        tab.wait_for("document.querySelectorAll('.alarm-entry.seen').length === 1")
        assert "1 open" in text(tab, "aside")
        assert tab.complaints == []


def test_learning_says_how_far_it_is(tab: Browser) -> None:
    for url in plant("learning"):
        opened(tab, url)
        assert "Learning what normal looks like: 62 %" in text(tab, ".stage")
        assert tab.run("document.querySelector('[role=progressbar]').getAttribute('aria-valuenow')") == "62"
        assert "No alarms yet" in text(tab, "aside")
        assert "Not learned yet" in text(tab, "aside")


def test_an_empty_plant_says_what_comes_next_and_a_lost_one_that_it_is_lost(tab: Browser) -> None:
    for url in plant("empty"):
        tab.open(url)
        tab.wait_for("document.body.innerText.includes('No machine yet')")
        assert "Listening for machines" in text(tab, ".stage")
        assert tab.complaints == []
    tab.wait_for("document.body.innerText.includes('connection lost, trying again')")


@pytest.mark.parametrize("width", [390, 1440])
def test_hostile_names_are_text_and_stay_in_their_place(tab: Browser, width: int) -> None:
    tab.shape(width, 1000)
    for url in plant("hostile"):
        opened(tab, url)
        tab.wait_for("document.querySelectorAll('.alarm-entry').length === 4")
        assert tab.run("document.documentElement.scrollWidth") == width
        assert "<script>alert(1)</script>" in text(tab, "aside")
        assert "<img src=x onerror=alert(1)>" in text(tab, "main")
        tab.run("document.querySelector('article.machine h3 a').click()")
        tab.wait_for("document.querySelectorAll('.large canvas').length === 5")
        assert tab.run("document.documentElement.scrollWidth") == width
        assert tab.complaints == []


def test_the_theme_is_chosen_and_kept(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = tab.run(ground)
    for _ in range(2):
        tab.run("document.querySelector('.theme').click()")
    tab.wait_for("document.querySelector('.theme').innerText.includes('Dark')")
    assert tab.run(ground) != light
    opened(tab, watching)
    assert tab.run("document.documentElement.dataset.theme") == "dark"
    tab.run("document.querySelector('.theme').click()")
    tab.wait_for("document.querySelector('.theme').innerText.includes('Auto')")
    assert tab.run(ground) == light


def test_whoever_wants_less_motion_gets_less(tab: Browser, watching: str) -> None:
    tab.shape(1440, 1000, still=True)
    opened(tab, watching)
    before = tab.run("bimetal.drawn")
    time.sleep(2)
    assert 1 <= tab.run("bimetal.drawn") - before <= 6


def test_the_policy_is_in_force(tab: Browser, watching: str) -> None:
    opened(tab, watching)
    tried = tab.run("""(async () => {
        const failed = [];
        try { document.body.innerHTML = "<i>"; } catch { failed.push("html"); }
        try { document.createElement("script").text = "1"; } catch { failed.push("script"); }
        await fetch("https://example.invalid/").catch(() => failed.push("fetch"));
        return failed;
    })()""")
    assert tried == ["html", "script", "fetch"]
    assert tab.complaints


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("route", ["", "#/machine/pump-3"])
def test_nobody_is_shut_out(tab: Browser, watching: str, route: str, dark: bool, width: int) -> None:
    source = MODULES / "axe-core" / "axe.min.js"
    if not source.is_file():
        pytest.skip("needs axe-core: npm install axe-core, or $BIMETAL_NODE_MODULES")
    tab.shape(width, 1000, dark=dark)
    opened(tab, f"{watching}/{route}")
    time.sleep(0.5)
    tab.run(source.read_text() + ";0")
    found = "axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
    assert tab.run(found) == []
