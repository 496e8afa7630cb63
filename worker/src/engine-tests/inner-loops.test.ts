import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { compileEngine } from './compile.js';
import { hotLoops } from './hot-loops.js';

let text = '';
beforeAll(async () => {
  ({ text } = await compileEngine());
});

/** Instructions after which the text of a loop goes on in another line. */
const breaks = /^(i32x4\.add|f32x4\.add|v128\.store|local\.set|br_if|loop)\b/;

/** The body of a function's innermost loop. */
function loopText(name: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) =>
    line.startsWith(` (func $assembly/kernels/generated/${name} `),
  );
  expect(start, `no function ${name}`).toBeGreaterThan(0);
  const isInner = (i: number): boolean => {
    const next = lines.slice(i + 1).find((line) => /^\s*(loop|br_if)\b/.test(line))!;
    return lines[i]!.trim().startsWith('loop') && next.trim().startsWith('br_if');
  };
  const first = lines.findIndex((_, i) => i > start && isInner(i));
  const last = lines.findIndex((line, i) => i > first && line.trim().startsWith('br_if'));
  const out = [''];
  for (const instruction of lines.slice(first, last + 1).map((line) => line.trim())) {
    const line = out.pop()!;
    out.push(line === '' ? instruction : `${line}  ${instruction}`);
    if (breaks.test(instruction)) out.push('');
  }
  return out.join('\n');
}

function costOf(name: string): number {
  const [loop, ...others] = hotLoops(text, `kernels/generated/${name}`);
  expect(others).toEqual([]);
  const [inner] = loop!.inner;
  return inner === undefined ? loop!.own : inner.own;
}

describe('inner loops', () => {
  it.each([
    ['int8', 1, 64],
    ['int8', 4, 16],
    ['int8', 8, 16],
    ['int8', 16, 16],
    ['int4', 1, 32],
    ['int4', 4, 32],
    ['int4', 8, 32],
    ['int4', 16, 32],
  ])('%s, %i rows, %i deep: as kept beside the template', async (kind, rows, depth) => {
    const name = `${kind}-rows/${kind}Rows${rows}Depth${depth}First`;
    const cost = costOf(name);
    const head = `;; ${cost} instructions a turn, ${(cost / (4 * depth * rows)).toFixed(3)} a multiply-add`;
    const folder = fileURLToPath(new URL('../../scripts/kernels/fixtures', import.meta.url));
    await expect(`${head}\n${loopText(name)}`).toMatchFileSnapshot(
      `${folder}/${kind}-${rows}-rows.wat`,
    );
  });
});

describe('inner loops of float kernels', () => {
  it.each([
    [1, 64],
    [4, 8],
    [8, 4],
    [16, 2],
  ])('%i rows, %i deep: as kept beside the template', async (rows, depth) => {
    const name = `float-rows/floatRows${rows}Depth${depth}`;
    const cost = costOf(`${name} `);
    const head = `;; ${cost} instructions a turn, ${(cost / (4 * depth * rows)).toFixed(3)} a multiply-add`;
    const folder = fileURLToPath(new URL('../../scripts/kernels/fixtures', import.meta.url));
    await expect(`${head}\n${loopText(name)}`).toMatchFileSnapshot(
      `${folder}/float-${rows}-rows.wat`,
    );
  });
});

describe('instructions a multiply-add of the deepest kernels', () => {
  it.each([
    ['int8', 1, 256, 0.645],
    ['int8', 4, 128, 0.58],
    ['int8', 8, 128, 0.545],
    ['int8', 16, 64, 0.535],
    ['int4', 1, 256, 0.97],
    ['int4', 4, 128, 0.79],
    ['int4', 8, 128, 0.67],
    ['int4', 16, 128, 0.61],
    ['float', 1, 256, 1.78],
    ['float', 4, 128, 1.65],
    ['float', 8, 64, 1.6],
    ['float', 16, 32, 1.58],
  ])('%s, %i rows, %i deep: at most %f', (kind, rows, depth, most) => {
    const cost = costOf(`${kind}-rows/${kind}Rows${rows}Depth${depth} `);
    console.info(`${kind}, ${rows} rows: ${(cost / (4 * depth * rows)).toFixed(4)}`);
    expect(cost / (4 * depth * rows)).toBeLessThan(most);
    expect(cost / (4 * depth * rows)).toBeGreaterThan(0.5);
  });
});
