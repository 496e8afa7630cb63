/* global setTimeout */
/**
 * Compiles worker/assembly to worker/build/worker.wasm and worker.wasm.gz, and its pacing alone to
 * worker/build/policy.wasm. assembly/refund.ts becomes worker/build/refund.wasm.
 * Does nothing where sources and tools are the same as at the last build.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const worker = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(worker, '..');
const build = join(worker, 'build');
const require = createRequire(import.meta.url);

const outputs = ['worker.wasm', 'worker.wasm.gz', 'policy.wasm', 'refund.wasm'].map((name) =>
  join(build, name),
);
const stamp = join(build, 'inputs.sha256');

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function packageVersion(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** Hash over everything the module is made of. */
function inputsHash() {
  const hash = createHash('sha256');
  hash.update(`${packageVersion('assemblyscript')} ${packageVersion('binaryen')}\n`);
  const sources = [
    ...filesBelow(join(worker, 'assembly')).filter((file) => !file.includes('generated')),
    ...filesBelow(join(worker, 'scripts')),
    ...filesBelow(join(root, 'protocol', 'src')).filter((file) => !file.endsWith('.test.ts')),
    join(worker, 'worker.did'),
  ];
  for (const file of sources) {
    hash.update(`${relative(root, file)}\n`);
    hash.update(readFileSync(file));
  }
  return hash.digest('hex');
}

function buildProtocol() {
  const tsc = require.resolve('typescript/bin/tsc');
  const result = spawnSync(process.execPath, [tsc, '-b', join(root, 'protocol')], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) throw new Error('worker: @canopy/protocol does not compile (see above)');
}

/** Compiles `assembly/${entry}.ts`. */
async function compile(entry, options) {
  const { default: asc } = await import('assemblyscript/asc');
  const { refuseRuntime } = await import('./canister-module.mjs');
  const outFile = `build/compiled-${process.pid}.wasm`;
  const textFile = `build/compiled-${process.pid}.wat`;
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(
    [
      `assembly/${entry}.ts`,
      ...['--baseDir', worker, '--outFile', outFile, '--textFile', textFile],
      ...options,
    ],
    { stdout: asc.createMemoryStream(), stderr },
  );
  const messages = stderr.toString().trim();
  if (messages !== '') console.error(messages);
  if (error) throw new Error(`worker: asc failed: ${error.message}`);
  const wasm = readFileSync(join(worker, outFile));
  const text = readFileSync(join(worker, textFile), 'utf8');
  for (const file of [outFile, textFile]) rmSync(join(worker, file));
  refuseRuntime(text);
  return wasm;
}

/** Writes a file in one step, so that nobody reads half of it. */
function replaceFile(file, bytes) {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, bytes);
  renameSync(temporary, file);
}

function isUpToDate(hash) {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === hash && outputs.every(existsSync);
}

/** A lock that its holder left behind, because it was killed, counts no more after so long. */
const staleLockMs = 300_000;

/** Waits until no other process builds. Returns what ends our turn. */
async function takeTurn() {
  const lock = join(build, 'lock');
  mkdirSync(build, { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > staleLockMs) {
      rmSync(lock, { recursive: true, force: true });
    } else {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Compiles the worker. Returns whether there was anything to do. */
export async function buildWorker() {
  if (isUpToDate(inputsHash())) return false;
  const endTurn = await takeTurn();
  try {
    const hash = inputsHash();
    if (isUpToDate(hash)) return false;
    await compileAll(hash);
    return true;
  } finally {
    endTurn();
  }
}

async function compileAll(hash) {
  buildProtocol();
  const { writeGenerated } = await import('./generate.mjs');
  writeGenerated();
  const { refuseImports, toCanisterModule } = await import('./canister-module.mjs');
  const { options, policyOptions } = await import('./options.mjs');
  const compiled = await compile('index', options);
  const wasm = toCanisterModule(compiled, readFileSync(join(worker, 'worker.did'), 'utf8'));
  const policy = await compile('policy', policyOptions);
  refuseImports(policy);
  const refundDid = 'service : { give_back : (blob) -> () }';
  const refund = toCanisterModule(await compile('refund', options), refundDid);
  replaceFile(outputs[0], wasm);
  replaceFile(outputs[1], gzipSync(wasm, { level: 9 }));
  replaceFile(outputs[2], policy);
  replaceFile(outputs[3], refund);
  replaceFile(stamp, hash);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const built = await buildWorker();
    const kib = (file) => `${(readFileSync(file).length / 1024).toFixed(0)} KiB`;
    console.error(
      `worker: ${built ? 'built' : 'up to date'}, ${kib(outputs[0])}, gzipped ${kib(outputs[1])}`,
    );
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
