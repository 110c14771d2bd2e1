// run.mjs: runs jobs in node. Arguments: the folder of jobs, jobs.mjs, p0.js, p0.wasm, ...
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(process.argv[2] + "/");
const file = (name) => readFileSync(new URL(name, folder));
const { outcomes } = await import(new URL("jobs.mjs", folder));

const load = async (k) => ({ script: await import(new URL(`p${k}.js`, folder)), code: file(`p${k}.wasm`) });
writeFileSync(new URL("results", folder), await outcomes(file("jobs"), load));
