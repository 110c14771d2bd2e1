"""The page of `bimetal eval --report`: one HTML file with tables and plots, nothing fetched from anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

from bimetal.cli.eval_plot import bars, curves, rates, timeline
from bimetal.cli.eval_said import COLUMNS, RATE, Judged, Outcome, between, written
from bimetal.cli.labelled import DeviceRows, Gathered
from bimetal.wire.table.shape import counted, length

MOST_DEVICES = 6
STYLE = """
:root { color-scheme: light dark;
  --ground: light-dark(#f3f5f8, #0b0e13); --card: light-dark(#ffffff, #131820);
  --edge: light-dark(#dfe5ec, #232b37); --text: light-dark(#46525f, #a3afbd);
  --strong: light-dark(#131c26, #eef2f7); --quiet: light-dark(#5b6774, #909dac);
  --line: light-dark(#1f6fd6, #62a8fb); --grid: light-dark(#e6ebf1, #1f2631);
  --good: light-dark(#0d7445, #45d094); --notice: light-dark(#8f5600, #f3b64e);
  --alarm: light-dark(#c62828, #ff7272);
  --alarm-soft: light-dark(#fbd9d9, #4a2224); --other: light-dark(#8793a1, #6b7684); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 48px; display: grid; gap: 20px; }
main > * { min-width: 0; }
h1 { margin: 0; font-size: 26px; color: var(--strong); letter-spacing: -.01em; }
h2 { margin: 0 0 4px; font-size: 17px; color: var(--strong); }
p { margin: 0; max-width: 74ch; } .quiet { color: var(--quiet); font-size: 13px; }
section { background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 18px 20px; }
.cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); }
.cards section { padding: 14px 18px; }
.cards b { display: block; font-size: 28px; line-height: 1.25; color: var(--strong); font-weight: 650; }
.good b { color: var(--good); } .bad b { color: var(--alarm); }
.wide { overflow-x: auto; margin: 8px -20px 0; padding: 0 20px 0 0; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 14px; }
th, td { padding: 7px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--edge);
  vertical-align: top; }
th { color: var(--quiet); font-weight: 500; font-size: 12.5px; }
th:first-child, td:first-child { text-align: left; padding-left: 20px; position: sticky; left: 0;
  background: var(--card); }
td:first-child { white-space: normal; min-width: 104px; }
tr.ours td { color: var(--strong); font-weight: 600; } td small { display: block; color: var(--quiet);
  font-weight: 400; font-size: 11.5px; } tr:last-child td { border-bottom: 0; }
svg { display: block; margin-top: 10px; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--grid); } .line { stroke: var(--line); fill: none; stroke-width: 1.4; }
.fill { fill: var(--line); } .other { fill: var(--other); } .otherline { stroke: var(--other); fill: none; }
.bad-band { fill: var(--alarm-soft); } .alarm { fill: var(--alarm); }
.promise { stroke: var(--alarm); stroke-width: 2; } .limit { stroke: var(--alarm); stroke-dasharray: 4 4; }
  .whisker { stroke: var(--strong); stroke-width: 1.5; }
.note { margin-top: 6px; font-size: 13.5px; color: var(--notice); }
.two { display: grid; gap: 20px; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); }
.stack { display: grid; gap: 20px; align-content: start; } .two > *, .stack > * { min-width: 0; }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 6px 0 2px; font-size: 12.5px;
  color: var(--quiet); }
.ends { display: flex; justify-content: space-between; font-size: 12px; color: var(--quiet); }
.name { margin: 16px 0 4px; font-weight: 600; font-size: 13.5px; color: var(--strong); }
svg.time { height: 132px; } svg.time path { vector-effect: non-scaling-stroke; }
.key i { display: inline-block; width: 14px; height: 10px; border-radius: 2px; margin-right: 6px; }
@media (max-width: 520px) { main { padding: 20px 12px 32px; gap: 14px; } section { padding: 14px; }
  .wide { margin: 8px -14px 0; padding: 0 14px 0 0; } th:first-child, td:first-child { padding-left: 14px; }
   h1 { font-size: 22px; } }
"""


def page(outcome: Outcome, gathered: Gathered) -> str:
    """Return the whole page."""
    title = f"How well {outcome.model.rsplit('/', 1)[-1]} does"
    body = "\n".join(
        [
            f"<header><h1>{escape(title)}</h1><p>{escape(_judged_on(outcome))}</p>{_notes(outcome)}</header>",
            f'<div class="cards">{"".join(_cards(outcome))}</div>',
            _table(outcome),
            f'<div class="two"><div class="stack">{_ranking(outcome)}{_promise(outcome)}</div>'
            f"{_curves(outcome, gathered)}</div>",
            *_timelines(gathered),
            f'<p class="quiet">{escape(_how(outcome))}</p>',
        ]
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def _judged_on(outcome: Outcome) -> str:
    names = ", ".join(path.rsplit("/", 1)[-1] for path in outcome.data[:3])
    more = f" and {len(outcome.data) - 3} more" if len(outcome.data) > 3 else ""
    return (
        f"{counted(outcome.rows, 'row')} of {names}{more}; {outcome.faulty_rows:,} of them faulty, in "
        f"{counted(outcome.events, 'event')}. Every row was scored before the next was seen."
    )


def _notes(outcome: Outcome) -> str:
    return "".join(f'<p class="note">{escape(words[:1].upper() + words[1:])}.</p>' for words in outcome.notes)


def _cards(outcome: Outcome) -> Iterator[str]:
    ours = outcome.detectors[0]
    late = ours.figures.delay_s
    yield _card(
        f"{ours.count.found} of {outcome.events}",
        "events found" + ("" if math.isnan(late) else f", {length(late)} after they began (median)"),
        "good" if outcome.events and ours.count.found == outcome.events else "",
    )
    yield _promise_card(outcome)
    low, high = ours.between.get("vus_pr", (math.nan, math.nan))
    likely = "" if math.isnan(low) else f", likely {low:.2f} to {high:.2f}"
    yield _card(
        written(ours.figures.vus_pr, ".3f"), f"VUS-PR{likely}: how well scores rank, 1 is perfect", ""
    )
    if outcome.held_back:
        yield _card(f"{outcome.held_back:,}", "alarms suppressed by the budget", "")
    if not math.isnan(ours.figures.hit_100):
        yield _card(f"{ours.figures.hit_100:.2f}", "HitRate@100 %: signals rightly named", "")


def _promise_card(outcome: Outcome) -> str:
    ours = outcome.detectors[0]
    alarms = counted(ours.count.false_alarms, "false alarm")
    allowed = outcome.promised_per_day * outcome.healthy_days
    told = f"in {outcome.healthy_days:.3g} healthy device-days, where {outcome.promise} was promised"
    if allowed < 1 and ours.count.false_alarms <= 1:
        return _card(alarms, f"{told}: {allowed:.2g} in that time, too short to tell whether it is kept", "")
    kept = ours.figures.kept
    kind = "good" if kept <= 1.2 else "bad"
    return _card(f"{written(kept, '.2g')}×", f"the promised false alarms: {alarms} {told}", kind)


def _card(figure: str, words: str, kind: str) -> str:
    return f'<section class="{kind}"><b>{escape(figure)}</b><p class="quiet">{escape(words)}</p></section>'


def _table(outcome: Outcome) -> str:
    head = "".join(f"<th>{escape(words)}</th>" for words in (*(w for _, w, _ in COLUMNS), "rows/s"))
    rows = "".join(_row(judged, k == 0) for k, judged in enumerate(outcome.detectors))
    return (
        f'<section><h2>Beside others</h2><p class="quiet">{escape(_what())}</p><div class="wide"><table>'
        f"<tr><th>detector</th>{head}</tr>{rows}</table></div></section>"
    )


def _row(judged: Judged, ours: bool) -> str:
    cells: list[str] = []
    for name, _, form in COLUMNS:
        apart = between(judged, name, form)
        small = f"<small>{apart}</small>" if apart else ""
        cells.append(f"<td>{written(getattr(judged.figures, name), form)}{small}</td>")
    cells.append(f"<td>{written(judged.rows_per_s, RATE)}</td>")
    kind = ' class="ours"' if ours else ""
    return f"<tr{kind}><td>{escape(judged.name)}</td>{''.join(cells)}</tr>"


def _what() -> str:
    return (
        "FAR and MAR are the parts of healthy rows in alarm and of faulty rows without one; F1 counts rows. "
        "NAB is at the threshold as shipped, NAB best at the one that suits these labels best."
    )


def _ranking(outcome: Outcome) -> str:
    rows = [(j.name, j.figures.vus_pr, j.between.get("vus_pr")) for j in outcome.detectors]
    return f"<section><h2>VUS-PR</h2>{bars(rows)}</section>"


def _promise(outcome: Outcome) -> str:
    rows = [(j.name, j.figures.false_per_day, j.between.get("false_per_day")) for j in outcome.detectors]
    return (
        '<section><h2>Promised against delivered</h2><p class="quiet">False alarms for each healthy '
        f"device-day; the red marks are the promise, {escape(outcome.promise)}.</p>"
        f"{rates(rows, outcome.promised_per_day)}</section>"
    )


def _curves(outcome: Outcome, gathered: Gathered) -> str:
    if not outcome.events:
        return ""
    drawn = curves([(t.labels, t.score) for t in gathered.tracks])
    return (
        '<section><h2>Precision and recall</h2><p class="quiet">Of the model\'s scores, at every threshold; '
        f"the dashed line is chance.</p>{drawn}</section>"
    )


def _timelines(gathered: Gathered) -> Iterator[str]:
    chosen = sorted(gathered.devices, key=lambda d: -int(d.track.labels.sum()))[:MOST_DEVICES]
    if not chosen:
        return
    key = (
        '<div class="key"><span><i style="background:var(--alarm-soft)"></i>what was wrong</span>'
        '<span><i style="background:var(--line);height:2px;vertical-align:middle"></i>score</span>'
        '<span><i style="background:var(--alarm)"></i>alarm</span></div>'
    )
    rest = len(gathered.devices) - len(chosen)
    more = f'<p class="quiet">{counted(rest, "more device")} not drawn.</p>' if rest else ""
    drawn = "".join(_timeline(device) for device in chosen)
    yield f"<section><h2>Over time</h2>{key}{drawn}{more}</section>"


def _timeline(device: DeviceRows) -> str:
    return f'<p class="name">{escape(device.track.device)}</p>{timeline(device)}'


def _how(outcome: Outcome) -> str:
    return (
        f"Small figures: 90 of 100 drawings of the same data in blocks of time (seed {outcome.seed}). The "
        f"other detectors learned from {outcome.learned_from}, and those of other libraries were silent "
        "there. No figure is point-adjusted."
    )
