"""Figures: what each kind of thing in a program costs on each machine, measured.

Fitted by non-negative least squares on the relative error, over programs compiled with `-Os` and
linked, and run in an emulator; bench/code_size.py and bench/instructions.py do it again and print the
tables. gcc 12.2 for ARM, RISC-V and Xtensa, 5.4 for AVR.
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
            "f32 add": 31.53,
            "f32 bit": 41.86,
            "f32 canon": 13.59,
            "f32 cast": 4.24,
            "f32 choose": 7.73,
            "f32 mul": 17.99,
            "f32 sqrt": 223.87,
            "i32 bit": 3.26,
            "i32 choose": 11.29,
            "i32 mul": 41.77,
            "load": 4.54,
            "loop": 10.04,
            "program": 17.32,
            "state field": 82.97,
            "store": 2.17,
        },
        once={
            "f32 add": 852.56,
            "f32 compare": 551.68,
            "f32 div": 767.50,
            "f32 mul": 698.14,
            "i32 wide": 63.49,
        },
        error=0.23,
    ),
    "cortex-m3": Rates(
        each={
            "f32 add": 10.98,
            "f32 canon": 14.13,
            "f32 choose": 15.13,
            "f32 compare": 0.98,
            "f32 div": 15.86,
            "f32 mul": 0.44,
            "f32 sqrt": 126.81,
            "i32 bit": 0.93,
            "i32 choose": 5.50,
            "i32 compare": 6.31,
            "index": 9.79,
            "load": 0.18,
            "stage": 18.39,
            "state field": 34.04,
        },
        once={
            "f32 add": 515.62,
            "f32 cast": 77.44,
            "f32 compare": 247.55,
            "f32 div": 565.76,
            "f32 mul": 350.47,
            "f32 sqrt": 46.57,
            "i32 wide": 3.63,
        },
        error=0.20,
    ),
    "cortex-m4": Rates(
        each={
            "f32 add": 6.03,
            "f32 canon": 10.77,
            "f32 cast": 0.96,
            "f32 choose": 9.48,
            "f32 compare": 6.91,
            "f32 div": 2.69,
            "f32 number": 2.16,
            "i32 bit": 4.35,
            "i32 choose": 3.33,
            "i32 compare": 8.95,
            "i32 number": 1.48,
            "i32 wide": 14.60,
            "index": 9.58,
            "stage": 13.19,
            "state field": 29.92,
        },
        once={"f32 add": 5.44, "f32 cast": 19.26, "f32 compare": 1.44, "f32 div": 40.55, "f32 mul": 16.37},
        error=0.18,
    ),
    "rv32imc": Rates(
        each={
            "f32 add": 27.07,
            "f32 bit": 110.54,
            "f32 canon": 66.05,
            "f32 compare": 20.06,
            "f32 mul": 14.18,
            "f32 number": 2.31,
            "f32 sqrt": 158.17,
            "i32 bit": 39.17,
            "i32 choose": 7.56,
            "i32 mul": 16.60,
            "loop": 16.02,
            "program": 2.09,
            "stage": 13.64,
            "state field": 21.50,
        },
        once={
            "f32 add": 1477.42,
            "f32 cast": 345.19,
            "f32 compare": 261.27,
            "f32 div": 1126.30,
            "f32 mul": 1051.45,
            "f32 sqrt": 218.93,
            "i32 wide": 51.72,
        },
        error=0.28,
    ),
    "avr": Rates(
        each={
            "f32 add": 26.68,
            "f32 canon": 52.66,
            "f32 choose": 33.74,
            "f32 compare": 20.96,
            "f32 div": 51.48,
            "f32 sqrt": 59.61,
            "i32 bit": 9.38,
            "i32 choose": 17.38,
            "i32 compare": 27.79,
            "i32 mul": 54.18,
            "i32 wide": 18.85,
            "index": 23.61,
            "load": 2.51,
            "program": 25.66,
            "state field": 16.83,
            "store": 15.38,
        },
        once={
            "f32 add": 299.74,
            "f32 cast": 68.07,
            "f32 compare": 99.45,
            "f32 div": 223.30,
            "f32 mul": 278.36,
            "f32 sqrt": 808.64,
            "i32 wide": 343.84,
        },
        error=0.22,
    ),
    "xtensa": Rates(
        each={
            "f32 add": 5.01,
            "f32 bit": 10.40,
            "f32 canon": 28.33,
            "f32 choose": 21.18,
            "f32 div": 29.59,
            "f32 mul": 14.59,
            "f32 number": 0.62,
            "f32 sqrt": 3.88,
            "i32 bit": 9.20,
            "i32 choose": 1.83,
            "i32 wide": 53.83,
            "index": 12.69,
            "program": 31.10,
            "stage": 34.55,
            "state field": 6.66,
            "store": 8.75,
        },
        once={
            "f32 add": 30.23,
            "f32 cast": 41.01,
            "f32 compare": 304.97,
            "f32 div": 285.60,
            "f32 mul": 9.06,
            "f32 sqrt": 291.03,
        },
        error=0.15,
    ),
}
"""Bytes of machine code; nine in ten programs lay within the error."""

STACK: Mapping[str, Rates] = {
    "cortex-m0plus": Rates(
        each={"library": 42.01, "name": 3.18, "nested loop": 9.53, "program": 41.03},
        error=0.48,
    ),
    "cortex-m3": Rates(
        each={"library": 31.11, "name": 2.80, "nested loop": 10.56, "program": 38.01},
        error=0.36,
    ),
    "cortex-m4": Rates(
        each={"name": 2.15, "nested loop": 31.90, "program": 10.97},
        error=0.18,
    ),
    "rv32imc": Rates(
        each={"library": 21.15, "name": 4.04, "program": 110.91},
        error=0.21,
    ),
    "avr": Rates(
        each={"library": 35.07, "name": 2.59, "program": 38.75},
        error=0.19,
    ),
    "xtensa": Rates(
        each={"library": 21.98, "name": 3.31, "program": 139.41},
        error=0.21,
    ),
}
"""Bytes of stack beside scratch memory; every program lay below value + error."""

WORK: Mapping[str, Rates] = {
    "cortex-m0plus": Rates(
        each={
            "f32 add": 60.59,
            "f32 bit": 10.63,
            "f32 cast": 13.50,
            "f32 choose": 13.30,
            "f32 compare": 26.56,
            "f32 div": 375.04,
            "f32 mul": 136.07,
            "f32 sqrt": 1281.97,
            "i32 bit": 0.12,
            "i32 mul": 19.81,
            "i32 number": 3.75,
            "i32 wide": 2.42,
            "stage": 39.71,
            "store": 13.35,
        },
        error=0.04,
    ),
    "cortex-m3": Rates(
        each={
            "f32 add": 60.59,
            "f32 bit": 10.63,
            "f32 cast": 13.50,
            "f32 choose": 13.30,
            "f32 compare": 26.56,
            "f32 div": 375.04,
            "f32 mul": 136.07,
            "f32 sqrt": 1281.97,
            "i32 bit": 0.12,
            "i32 mul": 19.81,
            "i32 number": 3.75,
            "i32 wide": 2.42,
            "stage": 39.71,
            "store": 13.35,
        },
        error=0.04,
    ),
    "cortex-m4": Rates(
        each={
            "f32 bit": 4.22,
            "f32 choose": 0.57,
            "f32 compare": 2.13,
            "f32 div": 0.84,
            "f32 mul": 3.60,
            "i32 add": 0.07,
            "i32 bit": 0.95,
            "i32 cast": 0.75,
            "i32 compare": 3.65,
            "i32 mul": 2.23,
            "i32 number": 3.00,
            "index": 0.14,
            "stage": 29.08,
            "store": 2.68,
            "turn": 1.55,
        },
        error=0.18,
    ),
}
"""Instructions of a firing; nineteen in twenty programs lay below value + error."""
