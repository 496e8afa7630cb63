import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '@canopy/protocol';
import { readFeeds, splitInput } from './feeds.js';

describe('splitInput', () => {
  const inputs = ['x', 'x=1', 'a=b'].map((name) => ({ name }));
  test.each([
    ['x=file.npy', [], { name: 'x', file: 'file.npy' }],
    ['x=dir/a=b.npy', [], { name: 'x', file: 'dir/a=b.npy' }],
    ['a=b=file.npy', [], { name: 'a=b', file: 'file.npy' }],
    ['x=1=file.npy', ['file.npy'], { name: 'x=1', file: 'file.npy' }],
    ['x=1=file.npy', ['1=file.npy'], { name: 'x', file: '1=file.npy' }],
  ])('%s where %j are there', (text, there: string[], expected) => {
    expect(splitInput(text, inputs, (path) => there.includes(path))).toEqual(expected);
  });

  test('what may mean two things is refused', () => {
    for (const there of [true, false]) {
      expect(() => splitInput('x=1=file.npy', inputs, () => there)).toThrow(
        '--input x=1=file.npy may mean "x" from 1=file.npy or "x=1" from file.npy',
      );
    }
  });
});

describe('readFeeds', () => {
  let folder = '';
  const path = (name: string): string => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'canopy-feeds-'));
    await writeFile(path('x.txt'), '');
    await writeFile(path('x.json'), '[[1, 2]]');
    await writeFile(path('n.json'), '[3]');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });
  const plan = {
    inputs: [
      { name: 'x', dtype: 'float32', dims: ['batch', 2] },
      { name: 'n', dtype: 'int64', dims: [1] },
    ],
  } as unknown as Plan;

  test('reads the files of all inputs', async () => {
    expect(await readFeeds(plan, [`x=${path('x.json')}`, `n=${path('n.json')}`])).toEqual({
      x: { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) },
      n: { type: 'int64', dims: [1], data: BigInt64Array.of(3n) },
    });
  });

  test.each([
    [
      ['x=x.json'],
      '--input n=FILE is missing; the model takes "x" float32[batch,2] and "n" int64[1]',
    ],
    [[], '--input x=FILE and --input n=FILE are missing'],
    [['y=x.json'], 'input "y" is unknown; the model takes "x"'],
    [['x=x.json', 'x=x.json'], 'input "x" is given twice'],
    [['x=none.json', 'n=n.json'], 'input "x": '],
    [['x=x.txt', 'n=n.json'], 'must end in .json, .npy, .pb'],
  ])('%j is refused', async (files, reason) => {
    const given = files.map((text) => text.replace('=', `=${folder}/`));
    await expect(readFeeds(plan, given)).rejects.toThrow(reason);
  });
});
