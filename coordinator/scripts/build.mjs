#!/usr/bin/env node
// Compiles the coordinator canister with azle: npm run build -w coordinator
// The result is build/coordinator.wasm.gz; nothing is done while it is up to date.
import { Buffer } from 'node:buffer';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = fileURLToPath(new URL('..', import.meta.url));
const root = join(here, '..');
const build = join(here, 'build');
const module = join(build, 'coordinator.wasm.gz');
const stampFile = join(build, 'coordinator.hash');
const compiler = join(here, 'scripts', 'compile.mjs');
const candid = join(here, 'coordinator.did');
const azle = join(root, 'node_modules', 'azle');
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

const stamp = hashOf([
  fileURLToPath(import.meta.url),
  compiler,
  candid,
  join(azle, 'package.json'),
  join(root, 'protocol', 'package.json'),
  ...sources(join(here, 'src', 'canister')),
  ...sources(join(root, 'protocol', 'src')),
]);
if (existsSync(module) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
  console.error('coordinator: up to date');
} else {
  compile();
}

function compile() {
  run([tsc, '-b', join(root, 'protocol')]);
  mkdirSync(build, { recursive: true });
  const bare = join(build, 'bare.wasm');
  run(['--import', 'tsx', compiler, bare]);
  const wasm = readFileSync(bare);
  rmSync(bare);
  const withCandid = Buffer.concat([wasm, publicSection('candid:service', readFileSync(candid))]);
  const zipped = gzipSync(withCandid, { level: 9 });
  writeFileSync(module, zipped);
  writeFileSync(stampFile, stamp);
  console.error(`coordinator: ${module}, ${zipped.length} bytes (${withCandid.length} unpacked)`);
}

function run(args) {
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`failed with exit code ${status}: node ${args.join(' ')}`);
}

/** TypeScript files under a folder that are not tests, in a fixed order. */
function sources(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .sort()
    .map((file) => join(folder, file));
}

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** A WebAssembly custom section that anybody may read as canister metadata. */
function publicSection(name, content) {
  const label = Buffer.from(`icp:public ${name}`);
  const body = Buffer.concat([leb128(label.length), label, content]);
  return Buffer.concat([Buffer.from([0]), leb128(body.length), body]);
}

function leb128(value) {
  const bytes = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
