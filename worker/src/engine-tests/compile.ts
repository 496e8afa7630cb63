import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as asc from 'assemblyscript/asc';

const worker = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..');

export interface CompiledEngine {
  wasm: Uint8Array<ArrayBuffer>;
  /** The module in text form, for looking at hot loops. */
  text: string;
}

async function script<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(join(worker, 'scripts', name)).href)) as T;
}

/** The compiled engine, kept in worker/build under the hash of all it is made of. */
export async function compileEngine(): Promise<CompiledEngine> {
  const generate = await script<{
    generatedSources: () => Record<string, string>;
    writeGenerated: () => void;
  }>('generate.mjs');
  const { options } = await script<{ options: string[] }>('options.mjs');
  const hash = createHash('sha256').update(options.join(' '));
  for (const source of Object.values(generate.generatedSources())) hash.update(source);
  for (const room of ['kernels', 'tensor', 'ops']) {
    const folder = join(worker, 'assembly', room);
    for (const file of readdirSync(folder).sort())
      if (file.endsWith('.ts')) hash.update(file).update(readFileSync(join(folder, file)));
  }
  const name = `engine-test-${hash.digest('hex').slice(0, 16)}`;
  const build = join(worker, 'build');
  await once(join(build, `${name}.wasm`), () => {
    generate.writeGenerated();
    return compile(name, options);
  });
  return {
    wasm: new Uint8Array(readFileSync(join(build, `${name}.wasm`))),
    text: readFileSync(join(build, `${name}.wat`), 'utf8'),
  };
}

/** Makes `file` unless it is there; waits where another process of the same test run is at it. */
async function once(file: string, make: () => Promise<void>): Promise<void> {
  const lock = `${file}.lock`;
  const patience = 180_000;
  mkdirSync(join(file, '..'), { recursive: true });
  while (!existsSync(file)) {
    try {
      mkdirSync(lock);
    } catch {
      const left = existsSync(lock) && Date.now() - statSync(lock).mtimeMs > patience;
      if (left) rmSync(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 200));
      continue;
    }
    try {
      if (!existsSync(file)) await make();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

/** Compiles `assembly/ops/testing.ts`: the engine without the canister around it, with the worker's own flags. */
async function compile(name: string, options: string[]): Promise<void> {
  const build = join(worker, 'build');
  mkdirSync(build, { recursive: true });
  const unfinished = `build/${name}.${process.pid}`;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(
    [
      'assembly/ops/testing.ts',
      ...['--baseDir', worker],
      ...['--outFile', `${unfinished}.wasm`, '--textFile', `${unfinished}.wat`],
      ...options.map((option) =>
        option.startsWith('abort=') ? 'abort=assembly/ops/testing/abort' : option,
      ),
    ],
    { stdout: asc.createMemoryStream(), stderr },
  );
  if (error) throw new Error(`engine: ${error.message}\n${stderr.toString()}`);
  for (const old of readdirSync(build)) {
    if (!old.startsWith(name) && /^engine-test-[0-9a-f]{16}\.wa[st]m?$/.test(old))
      rmSync(join(build, old), { force: true });
  }
  for (const type of ['wat', 'wasm']) {
    renameSync(join(worker, `${unfinished}.${type}`), join(build, `${name}.${type}`));
  }
}
