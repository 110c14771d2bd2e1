"""C99 project: a program as a folder that builds and tests itself with `make test`."""

from __future__ import annotations

from bimetal.program.program import Program
from bimetal.targets.packaging.package import packed
from bimetal.targets.packaging.parts import About, parts_of
from bimetal.targets.project import Files, write_folder
from bimetal.targets.vectors import Vectors


def emit(program: Program, block: bytes, vectors: Vectors, directory: str, name: str) -> None:
    """Write a program as C into a folder; raises BadInput when name, block or folder are no good."""
    write_folder(files_of(program, block, vectors, name), str(directory))


def files_of(program: Program, block: bytes, vectors: Vectors, name: str) -> Files:
    """Return the files of the folder, by name."""
    return packed(parts_of(program, block, vectors, name, About()))
