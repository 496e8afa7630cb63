import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readFeeds } from './commands/run.js';
import { main } from './main.js';
import { table } from './output.js';

let errors = '';
let folder = '';
const startFolder = process.cwd();

beforeEach(async () => {
  errors = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  folder = await mkdtemp(join(tmpdir(), 'canopy-test-'));
  process.chdir(folder);
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.chdir(startFolder);
  await rm(folder, { recursive: true });
});

describe('exit codes', () => {
  test.each([
    [['--help'], 0],
    [['deploy', '--help'], 0],
    [['local', 'stop'], 0],
    [['local', 'status'], 1],
    [['status'], 0],
    [['run', 'nothing'], 1],
    [['deploy', 'model.onnx'], 1],
    [['dance'], 2],
    [['plan'], 2],
    [['plan', 'model.onnx', '--max-weights', 'much'], 2],
    [['plan', 'model.onnx', '--pipelines', '0'], 2],
    [['run', 'm', '--input', 'x'], 2],
    [['run', '../../x', '--input', 'x=y', '--nope'], 2],
    [['bench', 'm.onnx', '--ic', 'mainnet'], 2],
    [['bench', 'm.onnx', '--ic', 'pocket-ic', '--costs', '2025-10'], 2],
    [['bench', 'm.onnx', '--replica', 'http://127.0.0.1:1', '--ic', 'embedded'], 2],
    [['bench', 'm.onnx', '--replica', 'nowhere'], 2],
  ])('canopy %s gives %i', async (args, code) => {
    expect(await main(args)).toBe(code);
  });

  test('errors say what to do', async () => {
    await main(['deploy', 'model.onnx']);
    expect(errors).toContain('canopy: no local IC runs here: start one with "canopy local start"');
    errors = '';
    await main(['run', 'mine']);
    expect(errors).toContain('there is no deployment mine (.canopy/deployments/mine.json)');
  });
});

describe('readFeeds', () => {
  const plan = {
    inputs: [
      { name: 'x', dtype: 'float32', dims: ['batch', 2] },
      { name: 'n', dtype: 'int64', dims: [1] },
    ],
  } as unknown as Parameters<typeof readFeeds>[0];

  test('reads the files of all inputs', async () => {
    await writeFile('x.json', '[[1, 2]]');
    await writeFile('n.json', '[3]');
    expect(await readFeeds(plan, { x: 'x.json', n: 'n.json' })).toEqual({
      x: { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) },
      n: { type: 'int64', dims: [1], data: BigInt64Array.of(3n) },
    });
  });

  test.each([
    [
      { x: 'x.json' },
      '--input n=FILE is missing; the model takes x float32[batch,2] and n int64[1]',
    ],
    [{ y: 'x.json' }, 'input "y" is unknown'],
    [{ x: 'none.json', n: 'n.json' }, 'input "x": cannot read none.json'],
    [{ x: 'x.txt', n: 'n.json' }, 'must end in .json, .npy or .pb'],
  ])('%j is refused', async (files, reason) => {
    await writeFile('x.txt', '');
    await writeFile('x.json', '[[1, 2]]');
    await writeFile('n.json', '[3]');
    await expect(readFeeds(plan, files as Record<string, string>)).rejects.toThrow(reason);
  });
});

test('tables align numbers to the right', () => {
  expect(
    table(
      ['a', 'count'],
      [
        ['long', 1],
        ['b', 10000],
      ],
    ),
  ).toBe('a     count\nlong      1\nb     10000');
});
