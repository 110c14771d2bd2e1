"""Figures: what each kind of thing in a program costs on each machine, measured.

Fitted over programs compiled with `-Os` and linked, and run in an emulator, by quantile regression with
non-negative weights on the relative error, so that what is told lies above what most programs took.
bench/code_size.py and bench/instructions.py do it again and print the tables. What layers of nets cost
("layer", "kind of layer", "product", "tap", "layer end", "held byte") was measured apart, one layer of each
kind in several sizes, and rounded up. gcc 12.2 for ARM, RISC-V and Xtensa, 5.4 for AVR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rates:
    """The cost of each kind: `each` time it is there, and `once` for the routine it links in.

    `error` is the share of the figure (and of a small one more) that it may be off.
    """

    each: Mapping[str, float]
    error: float
    once: Mapping[str, float] = field(default_factory=dict[str, float])

    def of(self, kinds: Mapping[str, int]) -> float:
        """Return what counted kinds cost, routines apart."""
        return sum(self.each.get(kind, 0.0) * often for kind, often in kinds.items())


CODE: Mapping[str, Rates] = {
    "cortex-m0plus": Rates(
        each={
            "f32 add": 4.43,
            "f32 cast": 2.58,
            "f32 choose": 19.61,
            "f32 mul": 10.29,
            "i32 bit": 10.77,
            "i32 choose": 4.79,
            "i32 mul": 7.78,
            "i32 wide": 7.42,
            "kernel": 809.49,
            "kind of layer": 430.0,
            "layer": 85.0,
            "load": 10.12,
            "loop": 6.56,
            "program": 96.35,
            "state field": 39.74,
            "store": 12.45,
        },
        once={
            "f32 add": 1436.92,
            "f32 cast": 256.07,
            "f32 compare": 518.73,
            "f32 div": 737.96,
            "f32 mul": 703.92,
            "f32 sqrt": 299.02,
            "i32 wide": 20.68,
        },
        error=0.08,
    ),
    "cortex-m3": Rates(
        each={
            "f32 add": 11.99,
            "f32 canon": 6.44,
            "f32 choose": 6.70,
            "f32 div": 30.07,
            "f32 mul": 4.03,
            "i32 cast": 0.63,
            "i32 choose": 7.56,
            "i32 compare": 19.84,
            "index": 9.96,
            "kernel": 573.34,
            "kind of layer": 340.0,
            "layer": 80.0,
            "stage": 36.18,
            "state field": 45.82,
        },
        once={
            "f32 add": 547.34,
            "f32 cast": 465.60,
            "f32 compare": 256.77,
            "f32 div": 603.87,
            "f32 mul": 367.35,
            "f32 sqrt": 161.47,
        },
        error=0.04,
    ),
    "cortex-m4": Rates(
        each={
            "f32 add": 6.51,
            "f32 canon": 2.96,
            "f32 cast": 6.52,
            "f32 choose": 8.93,
            "f32 compare": 4.99,
            "f32 div": 11.69,
            "f32 mul": 1.36,
            "f32 number": 1.53,
            "i32 choose": 3.75,
            "i32 compare": 16.88,
            "i32 wide": 0.24,
            "index": 5.11,
            "kernel": 364.08,
            "kind of layer": 340.0,
            "layer": 80.0,
            "loop": 19.42,
            "stage": 31.44,
            "state field": 51.98,
        },
        once={"f32 add": 21.05, "f32 cast": 1.82, "f32 compare": 12.30, "f32 sqrt": 8.33, "i32 wide": 1.56},
        error=0.05,
    ),
    "rv32imc": Rates(
        each={
            "f32 add": 11.52,
            "f32 bit": 77.01,
            "f32 canon": 56.38,
            "f32 choose": 15.94,
            "f32 compare": 5.05,
            "f32 mul": 4.44,
            "i32 bit": 43.07,
            "i32 choose": 6.29,
            "i32 wide": 5.66,
            "index": 2.27,
            "kernel": 455.33,
            "kind of layer": 420.0,
            "layer": 88.0,
            "load": 7.64,
            "loop": 13.98,
            "program": 64.74,
        },
        once={
            "f32 add": 2082.96,
            "f32 cast": 757.63,
            "f32 compare": 377.80,
            "f32 div": 1163.42,
            "f32 mul": 1182.90,
            "f32 sqrt": 248.25,
        },
        error=0.10,
    ),
    "avr": Rates(
        each={
            "f32 add": 33.27,
            "f32 canon": 59.74,
            "f32 choose": 20.62,
            "f32 compare": 35.28,
            "f32 div": 177.29,
            "i32 add": 22.15,
            "i32 bit": 18.22,
            "i32 cast": 10.35,
            "i32 choose": 18.03,
            "i32 compare": 27.99,
            "i32 mul": 79.16,
            "i32 number": 0.47,
            "i32 wide": 286.49,
            "index": 27.03,
            "kernel": 644.39,
            "kind of layer": 1250.0,
            "layer": 220.0,
            "program": 59.79,
            "stage": 28.41,
            "state field": 28.05,
            "store": 1.63,
        },
        once={
            "f32 add": 283.17,
            "f32 cast": 147.61,
            "f32 compare": 32.74,
            "f32 div": 575.0,
            "f32 mul": 301.27,
            "f32 sqrt": 874.37,
            "i32 wide": 42.46,
        },
        error=0.16,
    ),
    "xtensa": Rates(
        each={
            "f32 add": 10.27,
            "f32 canon": 20.46,
            "f32 choose": 16.93,
            "f32 div": 296.77,
            "f32 mul": 12.33,
            "f32 number": 3.35,
            "i32 add": 5.25,
            "i32 bit": 12.50,
            "i32 choose": 5.84,
            "i32 compare": 4.78,
            "i32 wide": 16.04,
            "index": 13.03,
            "kernel": 483.20,
            "kind of layer": 430.0,
            "layer": 88.0,
            "load": 0.75,
            "loop": 1.51,
            "program": 111.76,
            "stage": 7.65,
            "state field": 20.13,
        },
        once={
            "f32 add": 5.69,
            "f32 cast": 23.19,
            "f32 compare": 313.68,
            "f32 div": 18.91,
            "f32 sqrt": 338.17,
            "i32 wide": 1.89,
        },
        error=0.08,
    ),
}
"""Bytes of machine code; nineteen in twenty programs lay below value + error."""

STACK: Mapping[str, Rates] = {
    "cortex-m0plus": Rates(
        each={"held byte": 1.0, "layer": 190.0, "name": 2.68, "nested loop": 18.64, "program": 93.72},
        error=0.22,
    ),
    "cortex-m3": Rates(
        each={"held byte": 1.0, "layer": 160.0, "name": 2.57, "nested loop": 3.60, "program": 92.10},
        error=0.14,
    ),
    "cortex-m4": Rates(
        each={"held byte": 1.0, "layer": 175.0, "name": 1.35, "nested loop": 8.97, "program": 71.21},
        error=0.51,
    ),
    "rv32imc": Rates(
        each={
            "held byte": 1.0,
            "layer": 170.0,
            "library": 1.03,
            "name": 2.38,
            "nested loop": 26.16,
            "program": 125.47,
        },
        error=0.15,
    ),
    "avr": Rates(
        each={"held byte": 1.0, "layer": 190.0, "name": 2.02, "nested loop": 19.68, "program": 61.27},
        error=0.08,
    ),
    "xtensa": Rates(
        each={
            "held byte": 1.0,
            "layer": 190.0,
            "library": 20.16,
            "name": 2.03,
            "nested loop": 28.49,
            "program": 127.80,
        },
        error=0.17,
    ),
}
"""Bytes of stack beside scratch memory; every program lay below value + error."""

WORK: Mapping[str, Rates] = {
    "cortex-m0plus": Rates(
        each={
            "f32 add": 72.15,
            "f32 bit": 15.48,
            "f32 canon": 33.92,
            "f32 cast": 1.15,
            "f32 choose": 0.46,
            "f32 compare": 36.69,
            "f32 div": 377.69,
            "f32 mul": 119.42,
            "f32 number": 7.77,
            "f32 sqrt": 1207.31,
            "i32 bit": 1.74,
            "i32 choose": 5.78,
            "i32 mul": 7.58,
            "i32 number": 4.88,
            "i32 wide": 76.78,
            "layer end": 95.0,
            "product": 9.5,
            "split": 30.35,
            "stage": 15.08,
            "store": 2.47,
            "tap": 9.0,
            "tree": 123.27,
        },
        error=0.30,
    ),
    "cortex-m3": Rates(
        each={
            "f32 add": 54.77,
            "f32 bit": 3.08,
            "f32 canon": 17.24,
            "f32 cast": 4.10,
            "f32 compare": 44.75,
            "f32 div": 112.34,
            "f32 mul": 128.91,
            "f32 number": 0.61,
            "f32 sqrt": 542.11,
            "i32 bit": 7.78,
            "i32 choose": 2.47,
            "i32 mul": 5.66,
            "i32 number": 2.11,
            "i32 wide": 27.13,
            "kernel": 1.90,
            "layer end": 32.0,
            "product": 4.6,
            "split": 28.49,
            "stage": 18.83,
            "tap": 6.0,
            "tree": 73.50,
        },
        error=0.30,
    ),
    "cortex-m4": Rates(
        each={
            "f32 add": 0.84,
            "f32 bit": 1.23,
            "f32 canon": 10.04,
            "f32 compare": 4.12,
            "f32 mul": 0.07,
            "f32 number": 0.87,
            "i32 bit": 1.59,
            "i32 cast": 0.88,
            "i32 choose": 2.55,
            "i32 compare": 2.15,
            "i32 mul": 1.97,
            "i32 number": 0.11,
            "i32 wide": 2.77,
            "index": 0.10,
            "kernel": 24.07,
            "layer end": 27.0,
            "load": 1.08,
            "product": 1.95,
            "split": 8.92,
            "stage": 6.78,
            "store": 0.72,
            "tap": 4.4,
            "tree": 40.16,
            "turn": 1.94,
        },
        error=0.30,
    ),
    "rv32imc": Rates(
        each={
            "f32 add": 76.10,
            "f32 bit": 21.82,
            "f32 canon": 110.22,
            "f32 cast": 10.74,
            "f32 compare": 15.00,
            "f32 div": 124.26,
            "f32 mul": 102.74,
            "f32 number": 10.35,
            "f32 sqrt": 930.56,
            "i32 bit": 2.51,
            "i32 cast": 0.53,
            "i32 choose": 9.16,
            "i32 mul": 6.63,
            "i32 number": 1.78,
            "kernel": 23.52,
            "layer end": 36.0,
            "product": 6.4,
            "split": 19.39,
            "stage": 45.71,
            "tap": 7.2,
            "tree": 84.61,
            "turn": 0.90,
        },
        error=0.03,
    ),
}
"""Instructions of a firing; nineteen in twenty programs lay below value + error.

On the Cortex-M the error is as wide as the detector with its gate asks for: 29 % above the value, on an M4.
"""
