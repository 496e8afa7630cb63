import { beforeAll, describe, expect, it } from 'vitest';
import { encodeAttributes, SamePad, type OpAttributes } from '@canopy/protocol';
import { ints, random } from '../compare.js';
import { Engine } from '../engine.js';

/** What each window covers, element by element. */
function columns(
  data: ArrayLike<number>,
  [batch, channels, height, width]: readonly [number, number, number, number],
  window: readonly number[],
): number[] {
  const [kh = 1, kw = 1, sh = 1, sw = 1, top = 0, left = 0, bottom = 0, right = 0, dh = 1, dw = 1] =
    window;
  const outH = Math.floor((height + top + bottom - (kh - 1) * dh - 1) / sh) + 1;
  const outW = Math.floor((width + left + right - (kw - 1) * dw - 1) / sw) + 1;
  const found: number[] = [];
  for (let image = 0; image < batch * channels; image++) {
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        for (let y = 0; y < outH; y++) {
          for (let x = 0; x < outW; x++) {
            const [iy, ix] = [y * sh + ky * dh - top, x * sw + kx * dw - left];
            const inside = iy >= 0 && iy < height && ix >= 0 && ix < width;
            found.push(inside ? data[(image * height + iy) * width + ix]! : 0);
          }
        }
      }
    }
  }
  return found;
}

/** onnxruntime has no such operator: the columns are counted out here. */
describe('Im2Col', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.create();
  });
  const cases: [string, readonly number[]][] = [
    ['a pixel', [1, 1, 1, 1, 0, 0, 0, 0, 1, 1]],
    ['pads on all sides', [3, 3, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['uneven pads and strides', [2, 3, 2, 3, 0, 2, 1, 0, 1, 1]],
    ['dilations', [3, 2, 1, 2, 2, 1, 2, 1, 2, 3]],
    ['a window in the padding alone', [1, 1, 2, 2, 3, 3, 3, 3, 1, 1]],
  ];
  it.each(cases)('%s', (_, window) => {
    const x = random([2, 4, 7, 6]);
    const attributes: OpAttributes['Im2Col'] = { group: 2, outChannels: 6, window };
    const words = encodeAttributes('Im2Col', attributes);
    const run = (options = {}) => engine.run('Im2Col', [x], words, { outputs: 2, ...options });
    const [found, shape] = run();
    expect(Array.from(found!.data)).toEqual(columns(x.data, [2, 4, 7, 6], window));
    expect(found!.dims.slice(0, 2)).toEqual([2, 2]);
    expect(Array.from(shape!.data).slice(0, 2)).toEqual([2, 6]);
    expect(run({ yieldAlways: true })).toEqual([found, shape]);
  });

  it('finds pads that make as many positions as there are steps', () => {
    // 7 by 6 with kernel [3,5] and strides of 2: 2 rows of padding, 3 columns.
    const cases: [number, readonly number[]][] = [
      [SamePad.upper, [1, 1, 1, 2]],
      [SamePad.lower, [1, 2, 1, 1]],
    ];
    const x = random([1, 1, 7, 6]);
    for (const [pad, pads] of cases) {
      const window = [3, 5, 2, 2, pad, pad, pad, pad, 1, 1];
      const words = encodeAttributes('Im2Col', { group: 1, outChannels: 1, window });
      const [found, shape] = engine.run('Im2Col', [x], words, { outputs: 2 });
      const counted = columns(x.data, [1, 1, 7, 6], [3, 5, 2, 2, ...pads, 1, 1]);
      expect(Array.from(found!.data)).toEqual(counted);
      expect(Array.from(shape!.data)).toEqual([1, 1, 4, 3]);
    }
  });

  it('refuses what is no window over its input', () => {
    const x = random([1, 2, 3]);
    const run = (window: readonly number[], group = 1) =>
      engine.run('Im2Col', [x], encodeAttributes('Im2Col', { group, outChannels: 1, window }), {
        outputs: 2,
      });
    expect(() => run([3, 3, 1, 1, 0, 0, 0, 0, 1, 1])).toThrow('a window over the dimensions');
    expect(() => run([0, 1, 0, 0, 1])).toThrow('a window over the dimensions');
    expect(() => run([4, 1, 0, 0, 1])).toThrow('at least as large as the kernel');
    expect(() => run([1, 1, 0, 0, 1], 3)).toThrow('multiple of the groups');
    expect(() => engine.run('Im2Col', [ints([1])], [1, 1, 0], { outputs: 2 })).toThrow('float32');
  });
});
