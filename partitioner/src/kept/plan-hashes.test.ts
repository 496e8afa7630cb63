import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileConstant } from '../graph/constant.js';
import { makeNode } from '../graph/graph.js';
import { writeOnnx } from '../onnx/write-model.js';
import { planModel, type PlanOptions } from '../plan-model.js';
import { makeGraph, numbers } from '../testing/run-program.js';
import { changesWouldShow, identitiesOf } from './file-identity.js';
import { HashStore, mostKept } from './hash-store.js';

const root = mkdtempSync(join(tmpdir(), 'canopy-kept-'));
const [path, weights] = [join(root, 'model.onnx'), join(root, 'weights.bin')];
const clock = 2000;

/** A product whose matrix lies beside the model. */
function writeModel(): void {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: [1, 64] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [makeNode('MatMul', 'product', ['x', 'w'], ['y'])],
    constants: { w: fileConstant('float32', [64, 64], weights, 0) },
  });
  writeFileSync(weights, Float32Array.from(numbers(64 * 64, 1)));
  const beside = { location: 'weights.bin', offset: 0 };
  writeFileSync(
    path,
    writeOnnx(graph, [], (_, { file }) => (file ? beside : undefined)),
  );
}

let folders = 0;
const newFolder = (): string => join(root, `hashes-${folders++}`);

async function plan(hashFolder: string, options: PlanOptions = {}) {
  const planned = await planModel(path, { chunkBytes: 4096, ...options, hashFolder });
  planned.close();
  return planned;
}

beforeAll(async () => {
  writeModel();
  // Younger files are not kept: a change in the same moment would not show.
  await setTimeout(clock + 100);
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe('hashes of a plan', () => {
  it('are computed once for the same files and options', async () => {
    const folder = newFolder();
    const first = await plan(folder);
    expect(first.packedBytes).toBe(first.plan.stages[0]!.shardBytes);
    const second = await plan(folder);
    expect(second.packedBytes).toBe(0);
    expect(second.plan).toEqual(first.plan);
    const unkept = await planModel(path, { chunkBytes: 4096 });
    expect(unkept.packedBytes).toBeGreaterThan(0);
    expect(second.plan).toEqual(unkept.plan);
    for (let index = 0; index < second.chunkCount(0); index++) {
      expect([...second.shardChunkHash(0, index)]).toEqual([...unkept.shardChunkHash(0, index)]);
    }
    unkept.close();
  });

  it('hold whatever leads to the same cut, and not for other contents', async () => {
    const folder = newFolder();
    await plan(folder);
    expect((await plan(folder, { workers: 1, name: 'other' })).packedBytes).toBe(0);
    expect((await plan(folder, { chunkBytes: 2048 })).packedBytes).toBeGreaterThan(0);
    expect((await plan(folder, { weights: 'int8' })).packedBytes).toBeGreaterThan(0);
    expect((await plan(folder, { weights: 'int8' })).packedBytes).toBe(0);
  });

  it('of changed weights are computed, though size and time of the file are as before', async () => {
    const folder = newFolder();
    const before = await plan(folder);
    const { atime, mtime } = statSync(weights);
    const bytes = readFileSync(weights);
    bytes[100]! ^= 1;
    writeFileSync(weights, bytes);
    utimesSync(weights, atime, mtime);
    const after = await plan(folder);
    expect(after.packedBytes).toBeGreaterThan(0);
    expect(after.plan.model.sha256).not.toBe(before.plan.model.sha256);
    expect(after.plan.stages[0]!.shardHash).not.toBe(before.plan.stages[0]!.shardHash);
    // The files were changed just now, so nothing of them was kept.
    expect(readdirSync(folder)).toHaveLength(1);
    await setTimeout(clock + 100);
  });

  it('of another file under the same name are computed', async () => {
    const folder = newFolder();
    await plan(folder);
    copyFileSync(weights, `${weights}.copy`);
    rmSync(weights);
    copyFileSync(`${weights}.copy`, weights);
    expect((await plan(folder)).packedBytes).toBeGreaterThan(0);
    await setTimeout(clock + 100);
  });

  it('that are cut short, of another key or damaged are not believed', async () => {
    const folder = newFolder();
    const right = await plan(folder);
    const [name] = readdirSync(folder) as [string];
    const file = join(folder, name);
    const bytes = readFileSync(file);
    bytes[40]! ^= 1;
    writeFileSync(file, bytes);
    const again = await plan(folder);
    expect(again.packedBytes).toBeGreaterThan(0);
    expect(again.plan).toEqual(right.plan);
    expect((await plan(folder)).packedBytes).toBe(0);
    truncateSync(file, 50);
    expect((await plan(folder)).packedBytes).toBeGreaterThan(0);
    const store = new HashStore(folder);
    const hashes = [new Uint8Array(32).fill(1)];
    store.put('a', hashes);
    copyFileSync(join(folder, 'a.hashes'), join(folder, 'b.hashes'));
    expect(store.get('a', 1)).toEqual(hashes);
    expect(store.get('b', 1)).toBeUndefined();
    expect(store.get('a', 2)).toBeUndefined();
  });

  it('are planned without where the folder cannot be written to', async () => {
    const folder = newFolder();
    writeFileSync(folder, 'a file');
    expect((await plan(folder)).packedBytes).toBeGreaterThan(0);
  });
});

it('a store holds so many plans, and what a killed process left goes with the oldest', () => {
  const folder = newFolder();
  mkdirSync(folder);
  writeFileSync(join(folder, 'x.hashes.1'), 'half');
  utimesSync(join(folder, 'x.hashes.1'), 0, 0);
  const store = new HashStore(folder);
  for (let index = 0; index <= mostKept; index++) {
    store.put(`key${index}`, [new Uint8Array(32)]);
    utimesSync(join(folder, `key${index}.hashes`), index + 1, index + 1);
    // The first is used all the time.
    expect(store.get('key0', 1)).toBeDefined();
  }
  expect(readdirSync(folder)).toHaveLength(mostKept);
  expect(store.get('key1', 1)).toBeUndefined();
  expect(store.get(`key${mostKept}`, 1)).toBeDefined();
});

it('changes of a file show once its times lie behind by more than a clock step', () => {
  const files = identitiesOf([path]);
  const changedMs = statSync(path).ctimeMs;
  expect(changesWouldShow(files, changedMs + 1000)).toBe(false);
  expect(changesWouldShow(files, changedMs + clock + 10)).toBe(true);
});
