import type { BundleTensor } from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { openReference } from '../reference.js';
import { benchModel } from './catalogue.js';

function floats(tensor: BundleTensor): Float32Array {
  return new Float32Array(tensor.data.slice().buffer);
}

describe.each(['mobilenet-v2', 'sentence-encoder', 'resnet-50'])('%s', (name) => {
  it('runs in onnxruntime and answers differently to different inputs', async () => {
    const model = benchModel(name);
    const reference = await openReference(model.path());
    const [one, again, other] = await Promise.all(
      [1, 1, 2].map(async (seed) => floats((await reference.run(model.input(seed)))[0]!)),
    );
    await reference.close();
    expect(again).toEqual(one);
    expect(one!.every((value) => Number.isFinite(value) && Math.abs(value) < 1000)).toBe(true);
    const size = Math.max(...one!.map(Math.abs));
    const difference = Math.max(...one!.map((value, index) => Math.abs(value - other![index]!)));
    expect(difference / size).toBeGreaterThan(0.05);
  });
});
