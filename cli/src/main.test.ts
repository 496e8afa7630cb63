import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
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
    [['--version'], 0],
    [['deploy', '--help'], 0],
    [[], 2],
    [['local', 'stop'], 0],
    [['local', 'status'], 1],
    [['status'], 0],
    [['run', 'nothing'], 1],
    [['deploy', 'model.onnx'], 1],
    [['list'], 0],
    [['operators'], 0],
    [['operators', 'Conv', 'Relu'], 0],
    [['operators', 'Conv', 'Dance'], 1],
    [['remove', 'nothing'], 1],
    [['remove'], 2],
    [['dance'], 2],
    [['plan'], 2],
    [['plan', 'model.onnx', '--max-weights', 'much'], 2],
    [['plan', 'model.onnx', '--pipelines', '0'], 2],
    [['run', 'm', '--input', 'x'], 2],
    [['run', 'm', '--resize', 'large'], 2],
    [['run', 'm', '--layout', 'chw'], 2],
    [['run', 'm', '--timeout', 'soon'], 2],
    [['run', 'm', '--std', '0'], 2],
    [['status', '../x', '--replica', 'localhost:4943'], 1],
    [['deploy', 'm.onnx', '--replica', 'localhost:4943'], 2],
    [['deploy', 'm.onnx', '--replica', 'http://127.0.0.1:1'], 1],
    [['run', '../../x', '--input', 'x=y', '--nope'], 2],
    [['local', 'start', '--port', '65536'], 2],
    [['bench', 'm.onnx', '--ic', 'mainnet'], 2],
    [['bench', 'm.onnx', '--ic', 'pocket-ic', '--costs', '2025-10'], 2],
    [['bench', 'm.onnx', '--replica', 'http://127.0.0.1:1', '--ic', 'embedded'], 2],
    [['bench', 'm.onnx', '--replica', 'nowhere'], 2],
  ])('canopy %s gives %i', async (args, code) => {
    expect(await main(args)).toBe(code);
  });

  test('what is written wrongly is named, and the right word suggested', async () => {
    await main(['deplyo']);
    expect(errors).toContain("canopy: unknown command 'deplyo'\n(Did you mean deploy?)");
    errors = '';
    await main(['plan', 'm.onnx', '--max-weight', '4MiB']);
    expect(errors).toContain(
      "canopy: unknown option '--max-weight'\n(Did you mean --max-weights?)",
    );
  });

  test('errors say what to do', async () => {
    await main(['deploy', 'model.onnx']);
    expect(errors).toContain('canopy: no local IC runs here: start one with "canopy local start"');
    errors = '';
    await main(['run', 'mine']);
    expect(errors).toContain('there is no deployment mine (.canopy/deployments/mine.json)');
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
