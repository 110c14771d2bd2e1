// jobs.mjs: runs jobs of many programs, as host.c does, in node as in a page.

/** Return the bytes that come of jobs; `load(k)` gives the script and the code of the k-th program. */
export async function outcomes(jobs, load) {
  const view = new DataView(jobs.buffer, jobs.byteOffset, jobs.length);
  const loaded = new Map();
  const given = [];
  let at = 0;
  const word = () => view.getUint32((at += 4) - 4, true);
  const take = (size) => jobs.subarray(at, (at += size));
  while (at < jobs.length) {
    const which = word(), rows = word(), fresh = word();
    if (!loaded.has(which)) loaded.set(which, await load(which));
    const { script, code } = loaded.get(which);
    const { form, load: compiled, start } = script;
    const state = fresh ? start() : take(form.state.size).slice();
    const model = await compiled(code, take(form.params.size));
    model.state = state;
    const { outputs, fired } = model.run(take(rows * form.in.size), rows);
    for (let row = 0; row < rows; row++) {
      given.push(outputs.subarray(row * form.out.size, (row + 1) * form.out.size));
      given.push(new Uint8Array(fired.buffer, row * 4, 4));
    }
    given.push(model.state);
  }
  return joined(given);
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
