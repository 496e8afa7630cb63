import { beforeAll, describe, expect, it } from 'vitest';
import { compileEngine } from './compile.js';
import { hotLoops } from './hot-loops.js';

let text = '';
beforeAll(async () => {
  ({ text } = await compileEngine());
});

/** Multiply-adds of a piece of 32 input channels and a panel of 16 output channels, a row. */
const piece = 32 * 16;

describe('instructions a multiply-add, from the text of the hot loops', () => {
  it.each([
    [8, 1.8],
    [32, 1.72],
    [128, 1.7],
  ])('%i rows: at most %f', (rows, most) => {
    const [pieces] = hotLoops(text, 'kernels/gemm-piece/addBlocks<assembly/kernels/panel/Panel16,');
    const [rectangle] = pieces!.inner;
    const [pixels] = rectangle!.inner;
    expect(pixels!.inner).toEqual([]);
    const instructions = pieces!.own + rectangle!.own + rows * pixels!.own;
    console.info(`${rows} rows: ${(instructions / (rows * piece)).toFixed(3)}`);
    expect(instructions / (rows * piece)).toBeLessThan(most);
  });

  it('one row: at most 2', () => {
    const loops = hotLoops(text, 'kernels/gemv/');
    const widest = Math.max(...loops.map(({ own }) => own));
    console.info(`one row: ${(widest / 256).toFixed(3)}`);
    expect(widest / 256).toBeLessThan(2);
    expect(widest / 256).toBeGreaterThan(1.5);
  });

  it('depthwise 3x3: at most 2.2', () => {
    const loops = hotLoops(text, 'kernels/depthwise-3x3/plain<assembly/kernels/panel/Panel16>');
    const pixels = loops[0]!.inner[0]!;
    console.info(`depthwise 3x3: ${(pixels.own / 144).toFixed(3)}`);
    expect(pixels.own / 144).toBeLessThan(2.2);
  });
});
