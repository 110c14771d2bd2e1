"""Native build: a program as a shared library, compiled once by a compiler of this machine, then kept.

A library is kept under a name made of the digest of the program, of the compiler with its options, of the
machine it compiles for, and of the emitted code: whatever changes, another name is looked for.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
from dataclasses import dataclass
from typing import Protocol

from bimetal.nouns.errors import Broken, Unsupported
from bimetal.program.digest import digest
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.kernels.substitute import in_one_piece
from bimetal.targets.lower import lower
from bimetal.targets.native_code import write_native
from bimetal.targets.toolbox import Toolbox

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=gnu11", "-O2", "-ffp-contract=off", "-fno-math-errno")
SHARED = ("-shared", "-fPIC")
ABSENT = "no C compiler; install gcc or clang, or `pip install bimetal[build]`"


class Shelf(Protocol):
    """Where libraries are kept: a folder of the user that nobody else can write to; a door hands one in."""

    def find(self, name: str) -> str:
        """Return the path of what is kept under a name, "" where there is nothing that can be trusted."""
        ...

    def put(self, name: str, data: bytes) -> str:
        """Keep bytes, written whole, and return their path; raises Unsupported where that is not safe."""
        ...


@dataclass(frozen=True, slots=True)
class Compiler:
    """A command that compiles C for this machine, and what it calls the machine."""

    command: tuple[str, ...]
    machine: tuple[str, ...] = ()


def compiler_of(tools: Toolbox) -> Compiler | None:
    """Return the compiler of this machine, else that of the package ziglang, None where there is neither."""
    intel = platform.machine().lower() in ("x86_64", "amd64", "i686", "i386")
    for name in COMPILERS:
        found = tools.find(name)
        if found:
            return Compiler((found,), ("-march=native" if intel else "-mcpu=native",))
    spec = importlib.util.find_spec("ziglang")
    for folder in (spec and spec.submodule_search_locations) or ():
        zig = os.path.join(folder, "zig")
        if os.path.isfile(zig):
            return Compiler((zig, "cc", "-g0"))
    return None


@dataclass(frozen=True, slots=True)
class Library:
    """A shared library: the name it is kept under, and what is in it; nothing where it is kept already."""

    name: str
    path: str
    data: bytes = b""


def library_of(
    program: Program, compiler: Compiler, tools: Toolbox, shelf: Shelf, flags: tuple[str, ...]
) -> Library:
    """Return the library of a program, from the shelf or compiled just now.

    Raises Broken when the compiler refuses the code, Unsupported when it cannot be run.
    """
    ranges = check(program).ranges
    alone, together = lower(program, ranges, in_one_piece), lower(program, ranges)
    source = write_native(program, alone, together).encode()
    command = (*compiler.command, *compiler.machine, *flags, *SHARED)
    folder = tools.folder()
    try:
        name = f"{digest(program).hex()}-{_key(command, source, tools, folder.name)}.so"
        kept = shelf.find(name)
        if kept:
            return Library(name, kept)
        tools.write(f"{folder.name}/model.c", source)
        done = tools.run([*command, "-o", "model.so", "model.c", "-lm"], b"", folder.name)
        if done.status:
            raise Broken(f"the compiler refuses the emitted code: {done.words[:300]}", where=program.title)
        with open(os.path.join(folder.name, "model.so"), "rb") as file:
            return Library(name, "", file.read())
    finally:
        folder.cleanup()


def _key(command: tuple[str, ...], source: bytes, tools: Toolbox, folder: str) -> str:
    """Return what tells code, options, compiler and processor apart: its macros name the latter two."""
    asked = [part for part in command if part not in SHARED]
    done = tools.run([*asked, "-dM", "-E", "-x", "c", "-"], b"", folder)
    if done.status:
        raise Unsupported(f"the compiler does not answer: {done.words[:300]}", where=command[0])
    parts = ("\0".join(command).encode(), done.output, source)
    return hashlib.sha256(b"\0".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()[:32]
