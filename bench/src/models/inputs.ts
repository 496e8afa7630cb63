import type { BundleTensor } from '@canopy/protocol';
import { Random } from './random.js';

export function floatTensor(name: string, dims: number[], values: Float32Array): BundleTensor {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { name, dtype: 'float32', dims, data };
}

export function int64Tensor(name: string, dims: number[], values: readonly number[]): BundleTensor {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dtype: 'int64', dims, data };
}

/**
 * A picture [1, 3, height, width]: noise of another brightness and contrast in each channel, so that
 * models which average over the whole picture tell two of them apart.
 */
export function image(name: string, height: number, width: number, seed: number): BundleTensor {
  const random = new Random(seed);
  const pixels = height * width;
  const values = new Float32Array(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    const brightness = random.next();
    const contrast = 0.6 + 0.4 * random.next();
    for (let at = 0; at < pixels; at++) {
      values[channel * pixels + at] = brightness + contrast * random.next();
    }
  }
  return floatTensor(name, [1, 3, height, width], values);
}
