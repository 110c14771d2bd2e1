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
            "f32 add": 4.09,
            "f32 canon": 11.54,
            "f32 cast": 11.30,
            "f32 choose": 17.63,
            "f32 div": 0.15,
            "f32 mul": 9.44,
            "f32 number": 1.32,
            "i32 bit": 0.49,
            "i32 choose": 3.58,
            "i32 mul": 6.68,
            "i32 wide": 37.01,
            "kind of layer": 430.0,
            "layer": 85.0,
            "load": 9.70,
            "loop": 5.70,
            "program": 76.25,
            "state field": 37.27,
            "store": 12.32,
        },
        once={
            "f32 add": 1492.98,
            "f32 cast": 281.83,
            "f32 compare": 539.40,
            "f32 div": 748.89,
            "f32 mul": 651.91,
            "f32 sqrt": 284.34,
            "i32 wide": 20.27,
        },
        error=0.06,
    ),
    "cortex-m3": Rates(
        each={
            "f32 add": 10.26,
            "f32 canon": 9.83,
            "f32 choose": 5.38,
            "f32 div": 33.63,
            "f32 mul": 7.22,
            "i32 cast": 1.13,
            "i32 choose": 7.95,
            "i32 compare": 20.41,
            "i32 mul": 5.67,
            "index": 9.35,
            "kind of layer": 340.0,
            "layer": 80.0,
            "loop": 0.22,
            "stage": 35.25,
            "state field": 44.53,
        },
        once={
            "f32 add": 547.57,
            "f32 cast": 534.50,
            "f32 compare": 258.21,
            "f32 div": 602.37,
            "f32 mul": 365.48,
            "f32 sqrt": 150.44,
        },
        error=0.09,
    ),
    "cortex-m4": Rates(
        each={
            "f32 add": 5.17,
            "f32 canon": 6.82,
            "f32 cast": 9.35,
            "f32 choose": 7.74,
            "f32 compare": 1.48,
            "f32 div": 30.86,
            "f32 mul": 1.81,
            "f32 number": 3.03,
            "i32 choose": 4.03,
            "i32 compare": 12.24,
            "index": 1.39,
            "kind of layer": 340.0,
            "layer": 80.0,
            "load": 2.04,
            "loop": 26.96,
            "stage": 26.58,
            "state field": 53.28,
        },
        once={"f32 add": 16.39, "f32 cast": 13.28, "f32 compare": 16.02, "f32 sqrt": 11.31},
        error=0.05,
    ),
    "rv32imc": Rates(
        each={
            "f32 add": 11.56,
            "f32 bit": 30.68,
            "f32 canon": 61.76,
            "f32 compare": 31.54,
            "i32 bit": 13.51,
            "i32 choose": 6.85,
            "i32 wide": 21.07,
            "kind of layer": 420.0,
            "layer": 88.0,
            "load": 10.90,
            "loop": 14.85,
            "program": 51.38,
        },
        once={
            "f32 add": 2101.10,
            "f32 cast": 691.95,
            "f32 compare": 403.35,
            "f32 div": 1113.19,
            "f32 mul": 1194.15,
            "f32 sqrt": 267.50,
            "i32 wide": 0.03,
        },
        error=0.08,
    ),
    "avr": Rates(
        each={
            "f32 add": 34.79,
            "f32 bit": 13.41,
            "f32 canon": 61.70,
            "f32 choose": 21.76,
            "f32 compare": 31.89,
            "f32 div": 334.65,
            "i32 add": 29.11,
            "i32 bit": 32.42,
            "i32 choose": 21.39,
            "i32 compare": 10.06,
            "i32 mul": 106.23,
            "i32 wide": 291.83,
            "index": 25.19,
            "kind of layer": 1250.0,
            "layer": 220.0,
            "loop": 6.91,
            "program": 61.97,
            "stage": 24.40,
            "state field": 35.19,
        },
        once={
            "f32 add": 273.74,
            "f32 cast": 130.53,
            "f32 compare": 33.30,
            "f32 div": 546.00,
            "f32 mul": 299.27,
            "f32 sqrt": 868.77,
            "i32 wide": 29.50,
        },
        error=0.22,
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
        each={
            "held byte": 1.0,
            "layer": 190.0,
            "library": 43.59,
            "name": 2.88,
            "nested loop": 28.18,
            "program": 23.57,
        },
        error=0.15,
    ),
    "cortex-m3": Rates(
        each={
            "held byte": 1.0,
            "layer": 160.0,
            "library": 39.43,
            "name": 2.07,
            "nested loop": 16.69,
            "program": 35.38,
        },
        error=0.43,
    ),
    "cortex-m4": Rates(
        each={"held byte": 1.0, "layer": 175.0, "name": 1.36, "nested loop": 34.82, "program": 10.56},
        error=0.34,
    ),
    "rv32imc": Rates(
        each={
            "held byte": 1.0,
            "layer": 170.0,
            "library": 11.82,
            "name": 2.35,
            "nested loop": 25.46,
            "program": 115.00,
        },
        error=0.14,
    ),
    "avr": Rates(
        each={
            "held byte": 1.0,
            "layer": 190.0,
            "library": 8.59,
            "name": 2.07,
            "nested loop": 27.46,
            "program": 40.77,
        },
        error=0.17,
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
            "f32 add": 72.92,
            "f32 bit": 13.87,
            "f32 canon": 36.69,
            "f32 cast": 10.96,
            "f32 choose": 4.01,
            "f32 compare": 33.20,
            "f32 div": 370.64,
            "f32 mul": 118.51,
            "f32 number": 6.74,
            "f32 sqrt": 1194.06,
            "i32 bit": 0.22,
            "i32 cast": 5.01,
            "i32 choose": 5.33,
            "i32 mul": 4.49,
            "i32 number": 2.67,
            "i32 wide": 69.62,
            "layer end": 95.0,
            "product": 9.5,
            "stage": 23.25,
            "store": 0.59,
            "tap": 9.0,
        },
        error=0.04,
    ),
    "cortex-m3": Rates(
        each={
            "f32 add": 54.70,
            "f32 bit": 0.95,
            "f32 canon": 38.57,
            "f32 cast": 0.50,
            "f32 compare": 46.59,
            "f32 div": 103.26,
            "f32 mul": 111.48,
            "f32 sqrt": 544.62,
            "i32 choose": 6.20,
            "i32 mul": 6.04,
            "i32 number": 0.32,
            "i32 wide": 32.11,
            "layer end": 32.0,
            "product": 4.6,
            "stage": 12.41,
            "tap": 6.0,
        },
        error=0.05,
    ),
    "cortex-m4": Rates(
        each={
            "f32 add": 0.97,
            "f32 bit": 1.37,
            "f32 canon": 8.69,
            "f32 cast": 0.02,
            "f32 choose": 0.18,
            "f32 compare": 3.71,
            "f32 div": 1.88,
            "f32 mul": 0.02,
            "f32 number": 0.67,
            "i32 bit": 1.13,
            "i32 cast": 1.59,
            "i32 choose": 2.42,
            "i32 compare": 2.05,
            "i32 mul": 2.29,
            "i32 wide": 2.59,
            "layer end": 27.0,
            "load": 1.53,
            "product": 1.95,
            "stage": 9.02,
            "store": 0.98,
            "tap": 4.4,
            "turn": 1.45,
        },
        error=0.01,
    ),
    "rv32imc": Rates(
        each={
            "f32 add": 77.67,
            "f32 bit": 25.98,
            "f32 canon": 110.85,
            "f32 cast": 22.58,
            "f32 compare": 13.70,
            "f32 div": 126.01,
            "f32 mul": 102.96,
            "f32 number": 8.77,
            "f32 sqrt": 925.96,
            "i32 bit": 0.52,
            "i32 cast": 6.21,
            "i32 choose": 6.43,
            "i32 number": 0.83,
            "layer end": 36.0,
            "product": 6.4,
            "stage": 53.76,
            "tap": 7.2,
        },
        error=0.02,
    ),
}
"""Instructions of a firing; nineteen in twenty programs lay below value + error."""
