import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import binaryen from 'binaryen';
import { workerWasm } from '../index.js';

/**
 * The worker's module, built where it is out of date, with its mutable globals exported, so that a
 * test can put them back when a message traps.
 */
export const workerModule: WebAssembly.Module = prepare();

function prepare(): WebAssembly.Module {
  const script = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url));
  const built = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the worker does not build:\n${built.stderr}`);
  const module = binaryen.readBinary(workerWasm());
  for (let index = 0; index < module.getNumGlobals(); index++) {
    const { name, mutable } = binaryen.getGlobalInfo(module.getGlobalByIndex(index));
    if (mutable) module.addGlobalExport(name, `mutable ${name}`);
  }
  const bytes = module.emitBinary() as Uint8Array<ArrayBuffer>;
  module.dispose();
  return new WebAssembly.Module(bytes);
}

/** Names of all methods of the worker. */
export const workerMethods: readonly string[] = WebAssembly.Module.exports(workerModule).flatMap(
  ({ name }) => /^canister_(?:update|query) (.*)$/.exec(name)?.[1] ?? [],
);
