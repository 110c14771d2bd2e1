"""Nets of i8 beside their peers: flash, RAM, instructions, server time. Run: python bench/nets.py [--server].

One float net is given to everybody, each makes it int8 in its own way and runs the same rows on a simulated
Cortex-M4 (gcc -Os; see bench/trees.py); how many rows get the class of the float net is told beside. Flash
is what linking the net adds to an empty image; the image is all of it. Needs torch and scikit-learn; emlearn,
bakenn and LiteRT Micro (see litert_micro.py) as they are there. Whole numbers take as many instructions for
all rows.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import litert_micro
from bench.footprint import footprint
from bench.trees import CORTEX_M4, OURS, Rival, connections, measured
from bimetal.learn.imports.bring import read
from bimetal.learn.imports.foreign import Formula
from bimetal.learn.imports.net import Layer, Net, net
from bimetal.program.block import HEAD, pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.program import Draft, Program
from bimetal.program.verify import check
from bimetal.shrink.quantise import Int8Net, net_of
from bimetal.targets.c99 import write_c99
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.wasm_run import WasmTarget

ROWS = 40
ANOMALY = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640)
"""The autoencoder of MLPerf Tiny, anomaly detection."""
SMALL = (33, 16, 8, 16, 33)
WAVES, LENGTH, CHANNELS = 6, 128, 3
ARGMAX = """static uint32_t greatest(const {kind} *y, int n)
{{
    int best = 0;
    for (int k = 1; k < n; k++) best = y[k] > y[best] ? k : best;
    return (uint32_t)best;
}}
"""


@dataclass(frozen=True)
class Whole:
    """A net of i8 as a program: i8 in, its last values out."""

    program: Program
    block: bytes
    rows: np.ndarray


def whole_of(made: Int8Net, x: np.ndarray, *, to_the_end: bool) -> Whole:
    """Wire a net without its inlet, and round rows (n, columns) as the inlet does."""
    draft = Draft("net")
    given = draft.input("x", "i8", made.shape)
    y = made.layers_of(draft, given)
    draft.output("y", made.outlet(draft, y) if to_the_end else y)
    program = draft.finish()
    flat = x.reshape(len(x), -1, len(made.inlet.centre))
    near = np.floor((flat - np.array(made.inlet.centre)) / np.array(made.inlet.step) + 0.5)
    rows = np.clip(near, -127, 127).astype(np.int8).reshape(len(x), -1)
    return Whole(program, pack(program, draft.values), rows)


def ours(whole: Whole, answer: str) -> Rival:
    """Our C, parameters as constants in flash."""
    program = whole.program
    source = write_c99(program, lower(program, check(program).ranges, in_one_piece), "p")
    body = whole.block[HEAD.size :]
    code = OURS.format(
        header=source.header,
        code=source.code.replace('#include "p.h"', ""),
        size=len(body),
        data=",".join(map(str, body)),
        answer="y",
    ).replace("return (uint32_t)out.y;", f"return {answer};")
    kind = "float" if "greatest" in answer else "int8_t"
    at = code.index("static const union { unsigned char bytes")
    return Rival("bimetal", code[:at] + ARGMAX.format(kind=kind) + code[at:], whole.rows)


def bakenn_of(model: Any, shape: tuple[int, ...], seen: np.ndarray, rows: np.ndarray, answer: str) -> Rival:
    """BakeNN's C, its portable kernels."""
    import bakenn
    import torch

    folder = Path(tempfile.mkdtemp())
    as_torch = [
        torch.from_numpy(np.moveaxis(r.reshape(1, *shape), -1, 1).copy()) for r in seen.astype(np.float32)
    ]
    made = bakenn.compile_torch_ptq(model, as_torch[0], as_torch, folder / "c", name="m")
    given = [bakenn.quantize_input(made.plan, r.reshape(1, *shape).astype(np.float32)) for r in rows]
    arena = "arena" if "ARENA_SIZE 0u" not in (folder / "c/bknn_m.h").read_text() else "NULL"
    files = "\n".join(f'#include "bknn_m{part}.c"' for part in ("_weights", "_kernels", ""))
    code = f"""{files}
#include <stddef.h>
{ARGMAX.format(kind="int8_t")}
static uint8_t arena[BKNN_M_ARENA_SIZE] __attribute__((aligned(16)));
uint32_t answer(const void *row)
{{
    static int8_t y[BKNN_M_OUTPUT_SIZE];
    bknn_m_infer({arena}, row, y);
    return {answer};
}}
"""
    return Rival(
        "bakeNN", code, np.stack([np.asarray(g, np.int8).reshape(-1) for g in given]), (str(folder / "c"),)
    )


def micro_of(model: Any, shape: tuple[int, int], seen: np.ndarray, asked: np.ndarray) -> Rival:
    """LiteRT Micro with its portable kernels, in the smallest arena it takes."""
    folder = Path(tempfile.mkdtemp())
    content, scale, zero = litert_micro.file_of(model, shape, seen)
    rows = litert_micro.rows_of(asked, scale, zero)

    def rival(arena: int, asks_size: bool = False) -> Rival:
        parts = litert_micro.linked(content, WAVES, folder, CORTEX_M4, arena, asks_size)
        return Rival("LiteRT Micro", "", rows, linked=parts)

    arena = int(measured(rival(1 << 18, asks_size=True))[2][0])
    while measured(rival(arena))[2][0] >= WAVES:
        arena += 64
    print(f"LiteRT Micro: a file of {len(content):,} bytes, and an arena of {arena:,}")
    return rival(arena)


def emlearn_of(model: Any, rows: np.ndarray) -> Rival:
    """Emlearn's C of a scikit-learn net, in floats."""
    import emlearn

    made = emlearn.convert(model, method="inline")
    with tempfile.TemporaryDirectory() as folder:
        made.save(file=f"{folder}/m.h", name="m")
        text = Path(folder, "m.h").read_text()
    code = f"""#include <stdint.h>
{text}
uint32_t answer(const void *row)
{{
    static float y[{SMALL[-1]}];
    eml_net_regress(&m, row, {SMALL[0]}, y, {SMALL[-1]});
    return (uint32_t)(int32_t)y[0];
}}
"""
    return Rival("emlearn", code, rows.astype(np.float32), (str(Path(emlearn.__file__).parent),))


def table(
    title: str, makers: dict[str, tuple[str, Callable[[], Rival]]], expected: np.ndarray | None
) -> None:
    """Measure every side and print a table."""
    print(f"\n{title}\n{'':24s} {'flash B':>9s} {'instructions':>13s} {'as the float net':>17s}")
    for name, (needs, make) in makers.items():
        if needs and importlib.util.find_spec(needs) is None:
            print(f"{name:24s} {needs} is not installed")
            continue
        flash, instructions, answers = measured(make())
        same = "" if expected is None else f"{int((answers == expected).sum())} of {len(answers)}"
        print(f"{name:24s} {flash:9,d} {instructions:13,.0f} {same:>17s}", flush=True)


def told(whole: Whole) -> None:
    """Print what our program takes beside flash."""
    rows = np.zeros(3, layout_of(whole.program).input.dtype)
    rows["x"] = whole.rows[:3].reshape(rows["x"].shape)
    found = footprint(whole.program, whole.block, rows)
    ram = found.stack_found_bytes + found.state_bytes
    print(
        f"bimetal: {found.code_bytes:,} bytes of code, {found.parameter_bytes:,} learned; RAM {ram:,} "
        f"(stack with scratch memory, state), and {rows.dtype.itemsize:,} of input"
    )


def random_dense(sizes: tuple[int, ...], rng: np.random.Generator) -> Net:
    """Random layers, relu but for the last."""
    layers = [
        Layer(
            rng.normal(0, (2 / a) ** 0.5, (b, a)),
            rng.normal(0, 0.1, b),
            "relu" if k < len(sizes) - 2 else "identity",
        )
        for k, (a, b) in enumerate(pairwise(sizes))
    ]
    return net(layers)


def anomaly() -> None:
    """The autoencoder of MLPerf Tiny, its shape: random weights, which cost the same."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, ANOMALY[0]))
    made = net_of(random_dense(ANOMALY, rng), x, np.ones(ANOMALY[0]), np.zeros(ANOMALY[0]), to_the_end=False)
    whole = whole_of(made, x[:ROWS], to_the_end=False)
    products = sum(a * b for a, b in pairwise(ANOMALY))
    rival = ours(whole, "(uint32_t)out.y[0]")
    flash, instructions, _ = measured(rival)
    print(f"Anomaly detection, MLPerf Tiny: {'-'.join(map(str, ANOMALY))}, {products:,} products")
    print(
        f"bimetal: {flash:,} bytes, {instructions:,.0f} instructions, {instructions / products:.3f} a product"
    )
    told(whole)


def autoencoder() -> None:
    """A small autoencoder of network connections, in floats by emlearn, in i8 by bakeNN and here."""
    import torch
    from sklearn.neural_network import MLPRegressor

    task = connections()
    x = task.x[:, : SMALL[0]] / 255.0
    model = MLPRegressor(hidden_layer_sizes=SMALL[1:-1], max_iter=12, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x[:4000], x[:4000])
    made = read(model, SMALL[0]).scores
    assert isinstance(made, Formula)
    assert isinstance(made.spelled, Net)
    whole = whole_of(
        net_of(made.spelled, x[:2000], np.ones(SMALL[0]), np.zeros(SMALL[0]), to_the_end=False),
        x[-ROWS:],
        to_the_end=False,
    )
    parts: list[Any] = []
    for k, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        layer = torch.nn.Linear(*w.shape)
        layer.weight.data, layer.bias.data = torch.from_numpy(w.T.copy()).float(), torch.from_numpy(b).float()
        parts += [layer] if k == len(model.coefs_) - 1 else [layer, torch.nn.ReLU()]
    same = torch.nn.Sequential(*parts).eval()
    first = "(uint32_t)(int32_t)out.y[0]"
    table(f"Autoencoder {'-'.join(map(str, SMALL))}", {
        "bimetal, i8": ("", lambda: ours(whole, first)),
        "emlearn, float": ("emlearn", lambda: emlearn_of(model, x[-ROWS:])),
        "bakeNN portable, i8": (
            "bakenn", lambda: bakenn_of(same, (SMALL[0],), x[:200], x[-ROWS:], "(uint32_t)y[0]")
        ),
    }, None)  # fmt: skip
    told(whole)


def waves(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vibrations of six kinds in three channels: each has a frequency, and noise."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, WAVES, count)
    t = np.arange(LENGTH) / LENGTH
    phase = rng.uniform(0, 2 * np.pi, (count, 1, CHANNELS))
    x = np.sin(2 * np.pi * (3 + 4 * kind)[:, None, None] * t[None, :, None] + phase)
    return (x + rng.normal(0, 0.6, x.shape)).astype(np.float32), kind


def convolutions() -> None:
    """A net of separable convolutions along time, 3,550 parameters."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    parts: list[Any] = [nn.Conv1d(CHANNELS, 16, 9, padding=4, stride=2), nn.BatchNorm1d(16), nn.ReLU()]
    for a, b, stride in ((16, 24, 1), (24, 32, 2), (32, 32, 1)):
        parts += [nn.Conv1d(a, a, 3, padding=1, stride=stride, groups=a), nn.BatchNorm1d(a), nn.ReLU()]
        parts += [nn.Conv1d(a, b, 1), nn.BatchNorm1d(b), nn.ReLU()]
    model = nn.Sequential(*parts, nn.AvgPool1d(32), nn.Flatten(), nn.Linear(32, WAVES))
    x, y = waves(1500, 1)
    given, wanted = torch.from_numpy(np.moveaxis(x, -1, 1).copy()), torch.from_numpy(y)
    steps = torch.optim.Adam(model.parameters(), 0.01)
    for k in range(60):
        at = slice(k * 100 % 1500, k * 100 % 1500 + 100)
        loss = nn.functional.cross_entropy(model(given[at]), wanted[at])
        steps.zero_grad()
        loss.backward()
        steps.step()
    model.eval()
    asked, _ = waves(ROWS, 2)
    with torch.no_grad():
        expected = (
            model(torch.from_numpy(np.moveaxis(asked, -1, 1).copy())).numpy().argmax(1).astype(np.uint32)
        )
    made = read(model, LENGTH * CHANNELS).scores
    assert isinstance(made, Formula)
    assert isinstance(made.spelled, Net)
    flat = x[:500].reshape(500, -1).astype(np.float64)
    ones, zeros = np.ones(flat.shape[1]), np.zeros(flat.shape[1])
    whole = whole_of(net_of(made.spelled, flat, ones, zeros), asked.reshape(ROWS, -1), to_the_end=True)
    shape = (LENGTH, CHANNELS)
    count = sum(p.numel() for p in model.parameters())
    table(f"Separable convolutions along time, {count:,} parameters", {
        "bimetal, i8": ("", lambda: ours(whole, f"greatest(out.y, {WAVES})")),
        "bakeNN portable, i8": (
            "bakenn", lambda: bakenn_of(model, shape, x[:200], asked, f"greatest(y, {WAVES})")
        ),
        "LiteRT Micro, i8": (
            "tensorflow" if litert_micro.FOLDER else "$LITERT_MICRO",
            lambda: micro_of(model, shape, x[:200], asked),
        ),
    }, expected)  # fmt: skip
    told(whole)


def server() -> None:
    """Microseconds a row of the small autoencoder, i8 to i8, 4,096 devices at once, the best of seven."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4096, SMALL[0]))
    made = net_of(random_dense(SMALL, rng), x, np.ones(SMALL[0]), np.zeros(SMALL[0]), to_the_end=False)
    whole = whole_of(made, x, to_the_end=False)
    running: Any = WasmTarget().load(whole.program, whole.block)
    rows = np.zeros((len(x), 1), layout_of(whole.program).input.dtype)
    rows["x"][:, 0] = whole.rows
    states = np.zeros((len(x), len(initial_state(whole.program))), np.uint8)
    running.run_devices(states, rows)
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        running.run_devices(states, rows)
        best = min(best, time.perf_counter() - start)
    print(f"autoencoder, wasm, 4,096 rows: {best / len(x) * 1e6:.3f} us a row")


def main() -> None:
    """Print the tables."""
    if "--server" in sys.argv[1:]:
        server()
        return
    anomaly()
    autoencoder()
    convolutions()


if __name__ == "__main__":
    main()
