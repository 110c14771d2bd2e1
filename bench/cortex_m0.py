"""Features, autoencoder and boosted trees on a Cortex-M0+ in whole numbers. Run: python bench/cortex_m0.py.

Vibration of three axes at 12 kHz (CWRU, damaged bearings; BIMETAL_DATA) becomes 33 features of every 256
readings, an int8 autoencoder tells how unlike the smallest damages a window is, 51 trees tell which part is
damaged. Told are instructions (qemu), flash (gcc -Os, linked) and RAM for every form of the trees, and how
far answers are from those with features in floats. A window's instructions are those of all its readings.
The first six tenths of each recording are trained on, the rest is asked. Needs scikit-learn and scipy,
arm-none-eabi-gcc and qemu-system-arm.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from bench.features import features as float_features
from bench.simulate import count
from bimetal.cli.toolbox import LocalTools
from bimetal.learn.imports.net import Layer, net
from bimetal.learn.metric.curve import auc_roc
from bimetal.program import letter, word
from bimetal.program.block import pack
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import Node
from bimetal.program.operators.features_int16 import FeaturesInt16
from bimetal.program.operators.forest import Forest
from bimetal.program.operators.octets import Octets
from bimetal.program.operators.octets_int16 import OctetsInt16
from bimetal.program.operators.window import Window
from bimetal.program.program import Draft
from bimetal.program.verify import check
from bimetal.shrink.machine import machine_of
from bimetal.shrink.measure import measure
from bimetal.shrink.quantise import Int8Net, net_of
from bimetal.shrink.scale import MARGIN
from bimetal.targets.c99_sources import sources_of
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.wasm_run import WasmTarget

SIZE, AXES, SHIFT = 256, 3, 11
EDGES = (0, 8, 24, 64, 128)
INSIDE = (33, 16, 8, 16, 33)
ROUNDS, DEPTH, CLASSES = 17, 3, ("B", "IR", "OR")
DAMAGES = ("007", "014", "021")
STEPS_A_G = 4096
"""A sensor of 16 bits for 8 g."""
FORMS = ("links", "crown-1", "crown-2", "crown-3")
LIMITS = 250_000, 8 * 1024, 2560


@dataclass(frozen=True)
class Windows:
    """Windows (windows, SIZE, AXES) of i16, which part is damaged, how much, and which are trained on."""

    x: np.ndarray
    part: np.ndarray
    damage: np.ndarray
    trained: np.ndarray


@dataclass(frozen=True)
class Model:
    """What was learned: ranges of features, the net from i8 to i8, trees with the worth of their leaves."""

    low: np.ndarray
    high: np.ndarray
    net: Int8Net
    trees: tuple[Any, ...]
    values: tuple[tuple[int], ...]
    start: tuple[int, ...]


def recorded() -> Windows:
    """Nine recordings, in windows side by side."""
    from scipy.io import loadmat

    folder = Path(os.environ.get("BIMETAL_DATA", Path.home() / ".cache" / "bimetal-data")) / "cwru"
    parts: list[tuple[np.ndarray, int, int, np.ndarray]] = []
    for k, name in enumerate(CLASSES):
        for damage, size in enumerate(DAMAGES):
            found = loadmat(folder / f"{name}_{size}_load0.mat")
            axes = [
                next(v for n, v in found.items() if n.endswith(f"{axis}_time")) for axis in ("DE", "FE", "BA")
            ]
            many = len(axes[0]) // SIZE
            whole = np.stack([a[: many * SIZE, 0] for a in axes], axis=1) * STEPS_A_G
            x = np.clip(np.round(whole), -32768, 32767).astype(np.int16).reshape(many, SIZE, AXES)
            parts.append((x, k, damage, np.arange(many) < 0.6 * many))
    return Windows(
        np.concatenate([p[0] for p in parts]),
        np.concatenate([np.full(len(p[0]), p[1]) for p in parts]),
        np.concatenate([np.full(len(p[0]), p[2]) for p in parts]),
        np.concatenate([p[3] for p in parts]),
    )


def run(wire: Callable[[Draft], None], x: np.ndarray) -> dict[str, np.ndarray]:
    """Run a program that is fed one value a row, and return its outputs."""
    draft = Draft("whole")
    wire(draft)
    program = draft.finish()
    running: Any = WasmTarget().load(program, pack(program, draft.values))
    rows = np.zeros((len(x), 1), running.layouts.input.dtype)
    rows["x"][:, 0] = x
    states = np.zeros((len(x), len(initial_state(program))), np.uint8)
    outputs = running.run_devices(states, rows)[1]
    return {name: np.asarray(outputs[name]).reshape(len(x), -1) for name in outputs.dtype.names}


def whole_features(x: np.ndarray) -> np.ndarray:
    """Features in whole numbers, (windows, 33)."""

    def wire(draft: Draft) -> None:
        draft.output("y", FeaturesInt16(EDGES).trace(draft, draft.input("x", "i16", (SIZE, AXES))))

    return run(wire, x)["y"]


def features_in_floats(x: np.ndarray) -> np.ndarray:
    """The same features by operators of f32, in steps of a 256th of an octave, (windows, 33)."""

    def wire(draft: Draft) -> None:
        given = draft.input("x", "f32", (SIZE, AXES))
        draft.output("y", float_features(draft, given, (1, *EDGES[1:])))

    y = run(wire, x.astype(np.float32))["y"].reshape(len(x), AXES, -1)
    y = y[..., [0, 1, 2, 3, 5, 4, *range(6, y.shape[-1])]]
    y[..., :5] = 256 * np.log2(y[..., :5])
    y[..., 5] *= 256
    y[..., 7:] *= 256
    return y.reshape(len(x), -1)


def learn(given: Windows, found: np.ndarray) -> Model:
    """Learn ranges, the autoencoder of the smallest damages, and the trees."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.neural_network import MLPRegressor

    seen = found[given.trained]
    low = seen.min(axis=0).astype(int)
    high = np.maximum(seen.max(axis=0), low + 32).astype(int)
    octets = np.clip(np.round((seen - low) * 255 / (high - low)), 0, 255)
    usual = octets[given.damage[given.trained] == 0] - 128
    model = MLPRegressor(hidden_layer_sizes=INSIDE[1:-1], max_iter=300, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(usual / 64, usual / 64)
    shapes = list(zip(model.coefs_, model.intercepts_, strict=True))
    last = len(shapes) - 1
    layers = [
        Layer(
            w.T * (64 if k == last else 1) / (1 if k else 64),
            b * (64 if k == last else 1),
            "identity" if k == last else "relu",
        )
        for k, (w, b) in enumerate(shapes)
    ]
    ends = np.array([[1.0], [-1.0]]) * np.full(INSIDE[0], 127 / MARGIN)
    rows = np.concatenate([np.clip(usual, -ends[0], ends[0]), ends])
    small = net_of(net(layers), rows, np.ones(INSIDE[0]), np.zeros(INSIDE[0]), to_the_end=False)
    boosted = GradientBoostingClassifier(
        n_estimators=ROUNDS, max_depth=DEPTH, learning_rate=0.4, random_state=1
    )
    boosted.fit(octets, given.part[given.trained])
    return Model(low, high, small, *grown(boosted))


def grown(boosted: Any) -> tuple[tuple[Any, ...], tuple[tuple[int], ...], tuple[int, ...]]:
    """Trees as nests, leaves worth whole numbers of eight bits, and where each tree's leaves start."""
    trees, worth, start = [], [], []
    for regressor in boosted.estimators_.reshape(-1):
        tree, first = regressor.tree_, len(worth)

        def nest(at: int, tree: Any = tree, first: int = first) -> Any:
            if tree.children_left[at] < 0:
                worth.append(float(tree.value[at, 0, 0]))
                return len(worth) - 1 - first
            split = int(tree.feature[at]), int(np.floor(tree.threshold[at]))
            return (*split, nest(tree.children_left[at]), nest(tree.children_right[at]))

        start.append(first)
        trees.append(nest(0))
    near = np.round(np.array(worth) * 127 / np.abs(worth).max()).astype(int)
    return tuple(trees), tuple((int(v),) for v in near), tuple(start)


def judged(draft: Draft, octets: Node, model: Model, form: str) -> None:
    """From octets: how badly the net rebuilds them, and what the trees say of each part."""
    x = letter.sub(letter.cast(octets, "i32"), 128)
    again = letter.cast(model.net.layers_of(draft, letter.cast(x, "i8")), "i32")
    step = letter.const(round(64 * model.net.step), "i32")
    off = letter.shr(letter.sub(letter.shl(x, 6), letter.mul(again, step)), 4)
    near = word.clip(off, -4095, 4095)
    draft.output("score", word.total(letter.shr(letter.mul(near, near), 4)))
    made = Forest(model.trees, model.values, model.start, len(CLASSES), "forest", form)
    draft.output("parts", made.trace(draft, octets))


def streamed(model: Model, form: str) -> tuple[Any, bytes]:
    """The whole program, fed reading by reading, and its parameters."""
    draft = Draft("vibration")
    window = Window(SIZE, SIZE).trace(draft, draft.input("x", "i16", (AXES,)))
    found = letter.reshape(FeaturesInt16(EDGES).trace(draft, window), (INSIDE[0],))
    made = OctetsInt16(tuple(model.low.tolist()), tuple(model.high.tolist()), SHIFT)
    judged(draft, made.trace(draft, found), model, form)
    program = draft.finish()
    return program, pack(program, draft.values)


def sizes(model: Model, x: np.ndarray) -> Iterator[str]:
    """Lines of a table: what the program takes with each form of its trees."""
    machine = machine_of("cortex-m0plus")
    for form in FORMS:
        program, block = streamed(model, form)
        lay = layout_of(program)
        rows = np.zeros(2 * SIZE, lay.input.dtype)
        rows["x"] = x[:2].reshape(-1, AXES)
        sources = sources_of(program, lower(program, check(program).ranges, in_one_piece), block, "p")
        taken = measure(sources, "p", machine, LocalTools())
        with tempfile.TemporaryDirectory() as folder:
            counted = count(program, block, rows, machine, Path(folder)).instructions.reshape(-1, SIZE)
        ram = lay.state.size + taken.stack_bytes + lay.input.size + lay.output.size
        total, last = int(counted.sum(axis=1).max()), counted.max()
        fits = all(a <= b for a, b in zip((total, taken.flash_bytes, ram), LIMITS, strict=True))
        flash = f"{taken.flash_bytes:8,d} {lay.params.size:10,d}"
        memory = f"{ram:7,d} {lay.state.size:7,d} {taken.stack_bytes:7,d}"
        yield f"{form:8s} {total:9,d} {last:13,d} {flash} {memory}   {'fits' if fits else 'does not fit'}"


def answers(model: Model, octets: np.ndarray) -> dict[str, np.ndarray]:
    """Scores and parts for rows of octets."""
    return run(lambda draft: judged(draft, draft.input("x", "u8", (INSIDE[0],)), model, "links"), octets)


def differences(model: Model, given: Windows, found: np.ndarray) -> Iterator[str]:
    """Lines: what features in whole numbers cost in answers, on windows that were not trained on."""
    asked = ~given.trained
    ends = tuple(model.low.tolist()), tuple(model.high.tolist())

    def rounded(draft: Draft) -> None:
        draft.output("y", OctetsInt16(*ends, SHIFT).trace(draft, draft.input("x", "i16", (INSIDE[0],))))

    def rounded_floats(draft: Draft) -> None:
        draft.output("y", Octets(*ends).trace(draft, draft.input("x", "f32", (INSIDE[0],))))

    both = run(rounded, found[asked])["y"], run(rounded_floats, features_in_floats(given.x[asked]))["y"]
    off = np.abs(both[0].astype(int) - both[1])
    near = f"the same {np.mean(off == 0):.2%}, within 1 {np.mean(off <= 1):.2%}, at most {off.max()} off"
    yield f"{asked.sum():,} windows that were not trained on; octets of features: {near}"
    told = [answers(model, octets) for octets in both]
    said, true = [a["parts"].argmax(axis=1) for a in told], given.part[asked]
    right, right_floats, same = (np.mean(a == b) for a, b in ((said[0], true), (said[1], true), said))
    yield f"damaged part: right {right:.2%}, with features in floats {right_floats:.2%}; same {same:.2%}"
    scores, large = [a["score"][:, 0] for a in told], given.damage[asked] == len(DAMAGES) - 1
    pair = large | (given.damage[asked] == 0)
    ours, theirs = (auc_roc(large[pair], s[pair]) for s in scores)
    alike = np.corrcoef(*scores)[0, 1]
    yield f"largest damage beside smallest: AUC {ours:.4f}, in floats {theirs:.4f}; correlation {alike:.4f}"


def main() -> None:
    """Learn, measure, compare, print."""
    given = recorded()
    found = whole_features(given.x)
    model = learn(given, found)
    splits = len(model.values) - len(model.trees)
    print(f"{len(model.trees)} trees, {splits} splits; autoencoder {'-'.join(map(str, INSIDE))}")
    print("trees     a window  last reading    flash parameters     RAM   state   stack")
    for line in sizes(model, given.x[~given.trained]):
        print(line, flush=True)
    for line in differences(model, given, found):
        print(line)


if __name__ == "__main__":
    main()
