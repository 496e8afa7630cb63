import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planModel } from '@canopy/partitioner';
import { afterAll, expect, it } from 'vitest';
import { openReference } from '../reference.js';
import { decoderShapes } from './decoder-shapes.js';
import { decoderParameters, writeDecoder } from './decoder.js';
import { int64Tensor } from './inputs.js';

const folder = mkdtempSync(join(tmpdir(), 'canopy-decoder-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('known shapes have the parameters of their models', () => {
  // Llama 3.1: 8.03 B; the head of the 1 B model is its table, here it is held apart.
  expect(decoderParameters(decoderShapes['8b']) / 1e9).toBeCloseTo(8.03, 2);
  expect((decoderParameters(decoderShapes['1b']) - 128_256 * 2048) / 1e9).toBeCloseTo(1.236, 2);
});

it.each(['1b', 'twin'] as const)('%s, small: runs in onnxruntime and is planned', async (name) => {
  const sizes = { hidden: 64, layers: 2, mlp: 128, vocabulary: 100, heads: 8, keyValueHeads: 2 };
  const shape = { ...decoderShapes[name], ...sizes, positions: 16, seed: 1 };
  const path = writeDecoder(join(folder, name), shape);
  const reference = await openReference(path);
  const ids = [3, 99, 7, 7];
  const [all] = await reference.run([int64Tensor('ids', [1, 4], ids)]);
  const [three] = await reference.run([int64Tensor('ids', [1, 3], ids.slice(0, 3))]);
  await reference.close();
  const logits = new Float32Array(all!.data.slice().buffer);
  expect(Math.max(...logits.map(Math.abs))).toBeGreaterThan(0.5);
  // What comes later changes nothing before it.
  const before = new Float32Array(three!.data.slice().buffer);
  before.forEach((value, at) => { expect(logits[at]).toBeCloseTo(value, 4); });
  const planned = await planModel(path, { weights: 'int8', dims: { seq: 4 } });
  planned.close();
  const products = shape.layers * (shape.gated ? 7 : 6) + 1;
  expect(planned.quantized).toHaveLength(products);
  const { multiplyAdds } = planned.plan.stages[0]!;
  expect(multiplyAdds).toBeGreaterThan(4 * (decoderParameters(shape) - 100 * 64));
});
