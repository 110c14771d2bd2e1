"""Wasm project: a program as a module, with what loads it in a page or in node and tests it there."""

from __future__ import annotations

import base64
import json
import re

from bimetal.nouns.errors import BadInput
from bimetal.program.block import HEAD, unpack
from bimetal.program.layout import layout_of
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.c99 import words
from bimetal.targets.lower import lower
from bimetal.targets.project import Files, write_folder
from bimetal.targets.vectors import Vectors
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_script import write_script


def emit(program: Program, block: bytes, vectors: Vectors, directory: str, name: str) -> None:
    """Write a program as WebAssembly into a folder; raises BadInput for a bad name, block or folder."""
    write_folder(files_of(program, block, vectors, name), str(directory))


def files_of(program: Program, block: bytes, vectors: Vectors, name: str) -> Files:
    """Return the files of the folder, by name."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,30}", name):
        raise BadInput(f"{name!r} is not a name for files", hint="Use letters, digits, - and _")
    unpack(program, block)
    code = write_wasm(lower(program, check(program).ranges)).code
    texts = {
        f"{name}.js": write_script(program, name),
        "vectors.json": write_vectors(vectors),
        "test.mjs": TEST.replace("%name%", name),
        "package.json": json.dumps({"name": name.lower(), "type": "module", "private": True}, indent=2)
        + "\n",
        "Makefile": MAKEFILE,
        "README.txt": _readme(program, name, len(code), len(vectors.runs)),
    }
    found = {file: text.encode("ascii") for file, text in texts.items()}
    return {f"{name}.wasm": code, f"{name}.params.bin": block[HEAD.size :], **found}


def write_vectors(vectors: Vectors) -> str:
    """Return golden vectors as JSON, bytes in base64."""
    plain = vectors.encode()["runs"]
    runs = [
        {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in run.items()}
        for run in plain
    ]
    return json.dumps({"runs": runs}, indent=1) + "\n"


def _readme(program: Program, name: str, size: int, count: int) -> str:
    title, lay = words(program.title), layout_of(program)
    return README.format(
        name=name,
        title=title,
        rule="=" * (len(name) + len(title) + 17),
        size=size,
        state=lay.state.size,
        params=lay.params.size,
        count=count,
    )


TEST = """// test.mjs: runs the golden vectors in node; exit status 0 only if all are equal.
import { readFileSync } from "node:fs";
import { form, load, start } from "./%name%.js";

const file = (name) => readFileSync(new URL(name, import.meta.url));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const same = (a, b) => a.length === b.length && a.every((x, k) => x === b[k]);

const { runs } = JSON.parse(file("vectors.json"));
const model = await load(file("%name%.wasm"), file("%name%.params.bin"));
let equal = 0;
for (const run of runs) {
  const expected = bytes(run.fired);
  model.state = start();
  const { outputs, fired } = model.run(bytes(run.rows), expected.length / 4);
  const right = same(outputs, bytes(run.outputs)) && same(new Uint8Array(fired.buffer), expected)
    && same(model.state, bytes(run.state));
  if (!right) console.error(`differs: ${run.name}`);
  equal += right ? 1 : 0;
}
console.log(`vectors: ${equal} of ${runs.length} equal`);
process.exit(equal === runs.length ? 0 : 1);
"""

MAKEFILE = """# make test    run the golden vectors in node
NODE ?= node

.PHONY: test
test:
\t$(NODE) test.mjs
"""

README = """{name}: {title}, as WebAssembly
{rule}
make test         runs {count} golden vectors in node, bit for bit

{name}.wasm         the program, {size} bytes; the same for all parameter values
{name}.params.bin   what was learned, {params} bytes
{name}.js           loads both, in a page as in node:

    import {{ load }} from "./{name}.js";
    const bytes = async (name) => (await fetch(name)).arrayBuffer();
    const model = await load(await bytes("{name}.wasm"), await bytes("{name}.params.bin"));
    const {{ fired, ...results }} = model.step({{ ... }});       NaN, or left out: a gap

model.state, {state} bytes, is the whole memory of a device: keep one for each device.
"""
