// run.mjs: runs jobs of many programs, as host.c does. Arguments: the folder of p0.js, p0.wasm, ...
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(process.argv[2] + "/");
const file = (name) => readFileSync(new URL(name, folder));
const jobs = file("jobs");
const view = new DataView(jobs.buffer, jobs.byteOffset, jobs.length);
const loaded = new Map();
const given = [];
let at = 0;

const word = () => view.getUint32((at += 4) - 4, true);
const take = (size) => jobs.subarray(at, (at += size));

async function scriptOf(which) {
  if (!loaded.has(which)) loaded.set(which, await import(new URL(`p${which}.js`, folder)));
  return loaded.get(which);
}

while (at < jobs.length) {
  const which = word(), rows = word(), fresh = word();
  const { form, load, start } = await scriptOf(which);
  const state = fresh ? start() : take(form.state.size).slice();
  const model = await load(file(`p${which}.wasm`), take(form.params.size));
  model.state = state;
  const { outputs, fired } = model.run(take(rows * form.in.size), rows);
  for (let row = 0; row < rows; row++) {
    given.push(outputs.subarray(row * form.out.size, (row + 1) * form.out.size));
    given.push(new Uint8Array(fired.buffer, row * 4, 4));
  }
  given.push(model.state);
}
writeFileSync(new URL("results", folder), Buffer.concat(given));
