import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PartitionError } from '@canopy/partitioner';
import { explain } from './explain.js';

test.each([
  [new PartitionError('bad-option', 'pipelines: 300 is more than 256'), '--pipelines: 300'],
  [new PartitionError('bad-option', 'maxWeightsBytes: 0 is not'), '--max-weights: 0 is not'],
  [new PartitionError('does-not-fit', 'workers: 9 is more than 3'), '--workers: 9 is more than 3'],
  [
    new PartitionError('does-not-fit', 'the model cannot be cut'),
    'the model cannot be cut\nanother number of workers (--workers COUNT)',
  ],
  [new PartitionError('cannot-run', 'the model does not run'), '--dim samples=16000'],
  [new PartitionError('cannot-run', 'plan with --dim samples=8'), 'plan with --dim samples=8'],
  [
    Object.assign(new PartitionError('does-not-fit', 'too large'), { leastWeightsBytes: 3355444 }),
    'too large\n--max-weights 3.21MiB is the least that works',
  ],
  [
    Object.assign(new PartitionError('cannot-run', 'shapes differ'), { dims: { samples: 1 } }),
    'planned with --dim "samples=1": other sizes may work',
  ],
  [
    Object.assign(new Error('give it more time with "timeoutMs"'), { code: 'timeout' }),
    'more time with --timeout',
  ],
  [new Error('plain'), 'plain'],
  ['text', 'text'],
])('%s', (error, text) => {
  expect(explain(error)).toContain(text);
});

test('other sizes are no way out where an operator is not supported', () => {
  const error = new PartitionError('unsupported', 'Resize is not supported');
  expect(explain(Object.assign(error, { dims: { N: 1 } }))).toBe('Resize is not supported');
});

test('errors of the file system name the file and what is wrong', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'canopy-explain-'));
  const problem = async (path: string): Promise<string> => readFile(path).then(() => '', explain);
  await mkdir(join(folder, 'sub'));
  expect(await problem(join(folder, 'x'))).toBe(
    `${join(folder, 'x')}: there is no such file or folder`,
  );
  await rm(folder, { recursive: true });
});
