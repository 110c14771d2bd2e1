"""The page's scripts without a browser: traces, words, the plant's state, and their types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
MODULES = Path(os.environ.get("BIMETAL_NODE_MODULES", ROOT / "node_modules"))


def run(program: str) -> Any:
    """Return what the program gives to `say`."""
    text = f"const say = (x) => console.log(JSON.stringify(x));\n{program}"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", text], cwd=WEB, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.needs("node")
def test_a_trace_is_one_view_however_long_it_runs() -> None:
    told = run("""
        import { Trace } from "./trace.js";
        const trace = new Trace(1000);
        for (let i = 0; i < 10000; i++) trace.push(i * 1000, i, true);
        const [times, values] = trace.view();
        const ends = [times.length, times[0], times.at(-1), values[0], values.at(-1)];
        say([...ends, trace.at(9998500), trace.at(-1)]);
    """)
    assert told == [4096, 5_904_000, 9_999_000, 5904, 9999, 9998, None]


@pytest.mark.needs("node")
def test_a_silence_and_a_missing_reading_break_the_line() -> None:
    told = run("""
        import { Trace } from "./trace.js";
        const trace = new Trace(1000);
        const live = [[0, 1], [3000, 2], [6001, 3], [7001, NaN], [8001, Infinity]];
        for (const [t, v] of live) trace.push(t, v, true);
        trace.push(20000, 4, false); trace.push(10000, 9, true);
        say([...trace.view()[1]].concat(trace.lastTime, trace.lastValue));
    """)
    assert told == [1, 2, None, 3, None, None, 4, 20000, 4]


@pytest.mark.needs("node")
def test_a_period_nobody_said_is_learned_from_the_steps() -> None:
    told = run("""
        import { Trace } from "./trace.js";
        const trace = new Trace(0);
        for (const t of [0, 10, 20, 30, 41, 50, 90]) { trace.push(t, 1, true); trace.guessPeriod(); }
        const early = trace.period;
        trace.push(100, 1, true); trace.guessPeriod();
        say([early, trace.period]);
    """)
    assert told == [0, 10]


@pytest.mark.needs("node")
def test_numbers_keep_their_digits() -> None:
    told = run("""
        import { budget, lasting, many, moment, number, unit } from "./word.js";
        say([...[0, 1.23456, -12.345, 123.456, 4567.8, 1e7, 1e-5, NaN, null, undefined].map(number),
          ...["Cel", "um", "u", "bar", ""].map(unit),
          budget(9840, 65536, "B"), budget(412, 2048, ""), budget(61, 1000, "us"), budget(100, 200, "B"),
          ...[4200, 120000, 2 * 3600e3, -5].map(lasting), many(1, "signal"), many(1200, "signal"),
          moment("2023-11-14T22:13:20.123456Z"), moment(null)]);
    """)
    assert told == [
        "0.000", "1.235", "-12.35", "123.5", "4,568", "1.00e+7", "1.00e-5", "–", "–", "–",
        "°C", "µm", "u", "bar", "", "9.61 of 64 KiB", "412 of 2,048", "61 of 1,000 µs", "100 of 200 B",
        "4 s", "2 min", "2 h", "0 s", "1 signal", "1,200 signals", 1_700_000_000_123, None,
    ]  # fmt: skip


HELLO = """
    import * as p from "./plant.js";
    const devices = ["a", "b", "c"].map((id) => ({ id, kind: "", place: "" }));
    const one = (name, period_s) => ({ name, unit: "", quantity: "", period_s });
    const plant = { title: "P", window_s: 60, devices, signals: [one("x", 1), one("slow", 10)],
      stage: { stage: "watching", progress: 1, words: "" } };
    const range = (device, signal, low) => ({ device, signal, low, high: 2 });
    const model = { usual: [range("a", "x", 1), range("z", "x", 1), range("a", "slow", null)] };
    p.hear(JSON.stringify({ type: "hello", plant, model, events: [], counters: null }));
    const [a, b, c] = p.machines.value;
    const block = (rows, values) => ({ content: 1, replace: false, first: 0, columns: 2, device: 0, rows,
      origin: 0, offset: Float32Array.from({ length: rows }, (_, i) => i * 1000),
      values: Float32Array.from(values) });
"""


@pytest.mark.needs("node")
def test_a_slow_signal_is_not_broken_by_what_it_does_not_say() -> None:
    told = run(
        HELLO
        + """
        a.take(block(3, [1, 1, 1, 5, NaN, NaN]), true);
        say([a.traces[0].written, a.traces[1].written, a.usual]);
    """
    )
    assert told == [3, 1, [{"low": 1, "high": 2}, None]]


@pytest.mark.needs("node")
def test_one_clock_that_runs_ahead_does_not_move_the_plants() -> None:
    told = run(
        HELLO
        + """
        a.lastTime = 1000; b.lastTime = 1500; c.lastTime = 1e12;
        p.clockwork.set();
        say(p.clockwork.newest);
    """
    )
    assert told == 1500


@pytest.mark.needs("node")
def test_a_signal_is_stale_after_three_periods_and_a_machine_silent() -> None:
    told = run(
        HELLO
        + """
        const flat = (n) => Array(2 * n).fill(1.5);
        for (const [machine, n] of [[a, 10], [b, 13], [c, 14]]) machine.take(block(n, flat(n)), true);
        p.clockwork.set();
        const words = [a, b, c].map((machine) => p.stateOf(machine).word);
        say([...words, p.stateOfSignal(a, 0).tone, p.stateOfSignal(c, 0)]);
    """
    )
    assert told == ["silent for 4 s", "normal", "normal", "silent", None]


@pytest.mark.needs("node")
def test_an_alarm_marks_its_machine_and_its_strongest_signals() -> None:
    told = run(
        HELLO
        + """
        a.take(block(2, [3, 3, 1, 1]), true); b.take(block(2, [1, 1, 1, 1]), true);
        p.clockwork.set();
        const alarm = { id: 1, device: "a", alarm: true, cause: "process", life: "open", since: "",
          closed: null, explanation: [{ signal: "x", share: 0.8 }, { signal: "slow", share: 0.1 }] };
        p.hear(JSON.stringify({ type: "event", event: alarm }));
        const first = [p.stateOf(a), p.stateOfSignal(a, 0), p.stateOfSignal(a, 1), p.stateOf(b).word];
        p.hear(JSON.stringify({ type: "event", event: { ...alarm, cause: "sensor" } }));
        const second = [p.stateOf(a), p.stateOfSignal(a, 0), p.alarms.value.length];
        p.hear(JSON.stringify({ type: "event", event: { ...alarm, life: "closed" } }));
        say([first, second, p.stateOf(a)]);
    """
    )
    first, second, third = told
    assert first == [
        {"tone": "alarm", "word": "alarm"}, {"tone": "alarm", "word": "above usual"}, None, "normal",
    ]  # fmt: skip
    assert second == [
        {"tone": "notice", "word": "sensor trouble"}, {"tone": "notice", "word": "sensor in doubt"}, 1,
    ]  # fmt: skip
    assert third == {"tone": "good", "word": "normal"}


@pytest.mark.needs("node")
def test_what_nobody_knows_is_passed_over() -> None:
    told = run(
        HELLO
        + """
        p.hear('{"type": "tomorrow"}');
        const frame = new ArrayBuffer(16 + 24 + 8), view = new DataView(frame);
        view.setUint16(0, 0x6d62, true); view.setUint8(2, 1); view.setUint32(4, 1, true);
        view.setUint8(16, 1); view.setUint16(20, 1, true);
        view.setUint32(24, 99, true); view.setUint32(28, 1, true);
        p.take(frame);
        say([p.machines.value.length, p.seen.frames]);
    """
    )
    assert told == [3, 1]


@pytest.mark.slow
@pytest.mark.needs("node")
def test_the_types_hold() -> None:
    compiler = shutil.which("tsc") or str(MODULES / ".bin" / "tsc")
    if not Path(compiler).exists():
        pytest.skip("needs TypeScript: npm install typescript, or $BIMETAL_NODE_MODULES")
    done = subprocess.run(
        [compiler, "-p", str(ROOT / "tests" / "api" / "tsconfig.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
