import type { BenchModel } from './catalogue.js';
import { generated } from './cache.js';
import { GraphBuilder } from './graph-builder.js';
import { floatTensor } from './inputs.js';
import { Random } from './random.js';

/** Sizes of the series of single products. */
export const matMulSizes = [4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048] as const;

function matMul(size: number): Uint8Array {
  const builder = new GraphBuilder(`matmul-${size}`, size);
  const x = builder.input('x', 'float32', ['batch', size]);
  const product = builder.node('MatMul', [x, builder.weight([size, size], 1 / size)]);
  builder.output('y', product, ['batch', size]);
  return builder.finish();
}

/** A model of one product: [batch, size] through weights [size, size]. */
export function matMulModel(size: number): BenchModel {
  return {
    name: `matmul-${size}`,
    about: `one product through weights ${size}x${size}`,
    path: () => generated(`matmul-${size}`, () => matMul(size)),
    dims: {},
    input: (seed) => [floatTensor('x', [1, size], new Random(seed).uniform(size))],
  };
}
