import type { WeightType } from '@canopy/partitioner';
import type { BundleTensor } from '@canopy/protocol';

/** How far f32 numbers are from those expected. */
export interface Difference {
  largest: number;
  /** Largest magnitude of what is expected. */
  magnitude: number;
  /** Of the angle between both as vectors. */
  cosine: number;
}

/** Least cosine by how weights are stored; rounding to integers turns the vector. */
const leastCosine: Readonly<Record<WeightType, number>> = {
  f32: 0.999_999,
  int8: 0.999,
  int4: 0.95,
};
/** Most that f32 weights may be off, of the largest magnitude. */
const mostOfMagnitude = 1e-4;

/** Compares tensors of f32. Throws where they have not the same shape. */
export function differenceOf(given: BundleTensor, expected: BundleTensor): Difference {
  if (given.dims.join() !== expected.dims.join()) {
    throw new Error(`"${expected.name}" is [${given.dims.join()}], not [${expected.dims.join()}]`);
  }
  const ours = new Float32Array(given.data.slice().buffer);
  const theirs = new Float32Array(expected.data.slice().buffer);
  let [largest, magnitude, dot, mine, yours] = [0, 0, 0, 0, 0];
  theirs.forEach((value, at) => {
    const got = ours[at]!;
    largest = Math.max(largest, Math.abs(got - value));
    magnitude = Math.max(magnitude, Math.abs(value));
    dot += got * value;
    mine += got * got;
    yours += value * value;
  });
  return { largest, magnitude, cosine: dot / Math.sqrt(mine * yours) };
}

/** Throws where a difference is larger than how weights are stored explains. */
export function requireSmall(
  { largest, magnitude, cosine }: Difference,
  weights: WeightType,
): void {
  const isClose = weights !== 'f32' || largest <= mostOfMagnitude * magnitude;
  if (isClose && cosine >= leastCosine[weights]) return;
  throw new Error(
    `logits are off by ${largest} of ${magnitude}, cosine ${cosine}: more than ${weights} weights explain`,
  );
}
