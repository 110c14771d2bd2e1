"""Wasm node: the emitted module in another engine, V8, through the script that pages use."""

from __future__ import annotations

from bimetal.nouns.errors import Unsupported
from bimetal.program.block import HEAD, unpack
from bimetal.program.program import Program
from bimetal.program.verify import check
from bimetal.targets.lower import lower
from bimetal.targets.outside import OutsideRunning
from bimetal.targets.toolbox import Toolbox
from bimetal.targets.wasm import write_wasm
from bimetal.targets.wasm_script import write_script


class NodeTarget:
    """WebAssembly in node; needs node 18 or newer, and a toolbox to run it with."""

    name = "node"

    def __init__(self, tools: Toolbox | None = None) -> None:
        self._tools = tools

    def present(self) -> str:
        """Return "" where node is found, else what would change that."""
        if self._tools is None:
            return "running node is not allowed from here"
        return "" if self._tools.find("node") else "node is missing; install Node.js 18 or newer"

    def load(self, program: Program, block: bytes) -> OutsideRunning:
        """Make a program ready; raises BadInput when the block does not fit, Unsupported without node."""
        if self._tools is None or self.present():
            raise Unsupported(self.present(), where="node")
        unpack(program, block)
        folder = self._tools.folder()
        files = {
            "model.wasm": write_wasm(lower(program, check(program).ranges)).code,
            "model.js": write_script(program, "model").encode("ascii"),
            "package.json": b'{"type": "module"}',
            "params.bin": block[HEAD.size :],
            "run.mjs": HOST.encode("ascii"),
        }
        for file, data in files.items():
            self._tools.write(f"{folder.name}/{file}", data)
        command = (self._tools.find("node"), "run.mjs")
        return OutsideRunning(program, command, b"", self._tools, folder)


HOST = """// run.mjs: number of rows, state and rows in; state, results and what fired out.
import { readFileSync, writeSync } from "node:fs";
import { form, load } from "./model.js";

const file = (name) => readFileSync(new URL(name, import.meta.url));
const given = new Uint8Array(readFileSync(0));
const n = new DataView(given.buffer, given.byteOffset).getUint32(0, true);
const model = await load(file("model.wasm"), file("params.bin"));
model.state = given.slice(4, 4 + form.state.size);
const { outputs, fired } = model.run(given.subarray(4 + form.state.size), n);
const put = (data) => {
  for (let at = 0; at < data.length;) at += writeSync(1, data, at);
};
put(model.state);
put(outputs);
put(new Uint8Array(fired.buffer));
"""
