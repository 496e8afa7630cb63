import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { decoderShapes, writeDecoder } from '@canopy/bench';
import { expectEqualTensors, reference } from './compare.js';
import { createIc, deployModel } from './deployment.js';

const mebibyte = 1024 ** 2;

it('a decoder of 300 MB with external data runs on four workers of 96 MiB', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'canopy-large-'));
  const pic = await createIc();
  try {
    const path = writeDecoder(folder, { ...decoderShapes.twin, positions: 64, seed: 1 });
    const model = { name: 'decoder', path, dims: { seq: 16 } };
    const { session, planned } = await deployModel(pic, model, {
      workers: 4,
      maxWeightsBytes: 96 * mebibyte,
    });
    const weights = planned.plan.stages.map(({ weightsBytes }) => weightsBytes);
    expect(weights).toHaveLength(4);
    expect(weights.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(300 * 1000 ** 2);
    // The clean-up of the graph is not left out: it joins MatMul and Add, activations and norms.
    expect(planned.notes).toEqual([]);
    expect(planned.nodes.optimized).toBeLessThan(planned.nodes.model);

    const ids = BigInt64Array.from({ length: 16 }, (_, at) => BigInt((at * 997 + 13) % 8000));
    const feeds = { ids: new Tensor('int64', ids, [1, 16]) };
    const [given, expected] = [await session.run(feeds), await reference(path, feeds)];
    expectEqualTensors('logits', given['logits']!, expected['logits']!);
  } finally {
    rmSync(folder, { recursive: true });
    await pic.tearDown();
  }
});
