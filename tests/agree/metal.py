"""Metal: every machine that programs are compared on, in the order of the table."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bimetal.targets.wasm_run import WasmTarget
from tests.agree.browsed import Browser
from tests.agree.compiled import HOST, Board, Compiled
from tests.agree.machine import WASM, Machine
from tests.agree.scripted import Node
from tests.agree.serial import Serial
from tests.agree.together import Together

SOFT = "-DBIMETAL_SOFT_SQRT"
ARM = ("-std=c99", "-Os", "-mthumb", "-fno-tree-loop-distribute-patterns")
SANITIZERS = "-fsanitize=address,undefined,float-cast-overflow"
MPS2 = 4 << 20
POOL = 1 << 18


def cortex(name: str, machine: str, *options: str, map: str = "mps2.ld") -> Compiled:
    """A Cortex-M on a board with much memory."""
    board = Board(("qemu-system-arm", machine), "start.c", map, MPS2)
    return Compiled(name, "arm-none-eabi-gcc", (*ARM, *options), board=board, pool=POOL)


def riscv(name: str, architecture: str, abi: str) -> Compiled:
    """A RISC-V of 32 bits without an operating system."""
    board = Board(("qemu-system-riscv32", "virt", "-bios", "none"), "start_riscv.c", "virt.ld", 8 << 20)
    options = ("-std=c99", "-Os", f"-march={architecture}", f"-mabi={abi}", "-specs=picolibc.specs")
    return Compiled(name, "riscv64-unknown-elf-gcc", options, board=board, pool=POOL)


def crossed(
    name: str, triple: str, emulator: Sequence[str], *options: str, big_endian: bool = False
) -> Compiled:
    """A processor that zig builds for, and what runs its programs here."""
    flags = ("cc", "-target", triple, "-std=c99", "-O2", "-g0", *options)
    return Compiled(name, "zig", flags, tuple(emulator), big_endian)


HARD = ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
C99 = Compiled("c99", "gcc", ("-std=c99", "-O2"))
MICROBIT = Board(("qemu-system-arm", "microbit"), "start.c", "microbit.ld", 16 << 10)

NEAR: tuple[Machine, ...] = (
    WASM,
    Together("wasm-together", WasmTarget),
    Node(),
    Browser(),
    C99,
    Compiled("c99-fastest", "gcc", ("-std=c99", "-O3", "-march=native")),
    Compiled("c99-sanitized", "gcc", ("-std=c99", "-O0", SANITIZERS, "-fno-sanitize-recover=all", SOFT)),
    Compiled("c99-clang", "clang", ("-std=c99", "-O3", "-march=native")),
    Compiled("c++", "g++", ("-x", "c++", "-std=c++17", "-O0")),
)
BOARDS: tuple[Compiled, ...] = (
    cortex("cortex-m4f", "mps2-an386", "-mcpu=cortex-m4", *HARD),
    cortex("cortex-m3", "mps2-an385", "-mcpu=cortex-m3"),
    Compiled(
        "cortex-m0", "arm-none-eabi-gcc", (*ARM, "-mcpu=cortex-m0", SOFT), board=MICROBIT, pool=11 << 10
    ),
    cortex("cortex-m7", "mps2-an500", "-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard"),
    cortex(
        "cortex-m33",
        "mps2-an505",
        "-mcpu=cortex-m33",
        "-mfpu=fpv5-sp-d16",
        "-mfloat-abi=hard",
        map="an505.ld",
    ),
    riscv("rv32imac", "rv32imac", "ilp32"),
    riscv("rv32imafc", "rv32imafc", "ilp32f"),
)
AVR = Serial()
S390X = Compiled(
    "s390x",
    "s390x-linux-gnu-gcc",
    ("-std=c99", "-O2", "-fexcess-precision=fast"),
    ("qemu-s390x",),
    big_endian=True,
)
CROSSED: tuple[Compiled, ...] = (
    crossed("x86-64-v4", "x86_64-linux-musl", (), "-mcpu=native", "-O3"),
    crossed("i386", "x86-linux-musl", ("qemu-i386",), "-mcpu=pentium4"),
    crossed("aarch64", "aarch64-linux-musl", ("qemu-aarch64",)),
    crossed("armhf", "arm-linux-musleabihf", ("qemu-arm",)),
    crossed("arm-soft-float", "arm-linux-musleabi", ("qemu-arm",)),
    crossed("riscv64", "riscv64-linux-musl", ("qemu-riscv64",)),
    crossed("riscv32", "riscv32-linux-musl", ("qemu-riscv32",)),
    crossed("mips", "mips-linux-musleabihf", ("qemu-mips",), big_endian=True),
    crossed("mipsel", "mipsel-linux-musleabihf", ("qemu-mipsel",)),
    crossed("ppc64", "powerpc64-linux-musl", ("qemu-ppc64",), big_endian=True),
    crossed("ppc64le", "powerpc64le-linux-musl", ("qemu-ppc64le",)),
    crossed("s390x-clang", "s390x-linux-musl", ("qemu-s390x",), big_endian=True),
    crossed("wasm32-clang", "wasm32-wasi", (sys.executable, str(HOST / "wasi.py"))),
)
EVERYWHERE: tuple[Machine, ...] = (*NEAR, *BOARDS, AVR, S390X, *CROSSED)
"""Every machine there is a way to."""

SHORT = {m.name for m in (*NEAR, *BOARDS[:5])} - {"c99-clang"}
"""Those whose tools are quickly installed."""
