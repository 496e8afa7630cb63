import { expect } from 'vitest';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { Feeds } from './models.js';

/** Largest difference allowed: this much absolute, plus this share of the expected value. */
export const tolerance = 1e-3;

interface AnyTensor {
  type: string;
  dims: readonly number[];
  data: unknown;
}

const sessions = new Map<string, InferenceSession>();

/** What onnxruntime answers. */
export async function reference(path: string, feeds: Feeds): Promise<Record<string, Tensor>> {
  let session = sessions.get(path);
  if (session === undefined) {
    session = await InferenceSession.create(path, { logSeverityLevel: 3 });
    sessions.set(path, session);
  }
  return await session.run(feeds);
}

function indexOfMaximum(values: ArrayLike<number>, start: number, end: number): number {
  let best = start;
  for (let index = start + 1; index < end; index++) {
    if (values[index]! > values[best]!) best = index;
  }
  return best - start;
}

/**
 * Fails unless both tensors have the same type and shape, every value is within {@link tolerance},
 * and the largest value of each row (last dimension) is at the same place.
 */
export function expectEqualTensors(name: string, given: AnyTensor, expected: AnyTensor): void {
  expect({ type: given.type, dims: given.dims }, name).toEqual({
    type: expected.type,
    dims: expected.dims,
  });
  const [a, b] = [given.data as Float32Array, expected.data as Float32Array];
  for (let index = 0; index < b.length; index++) {
    const allowed = tolerance + tolerance * Math.abs(b[index]!);
    if (!(Math.abs(a[index]! - b[index]!) <= allowed)) {
      expect.fail(`${name}[${index}]: ${a[index]!} instead of ${b[index]!}`);
    }
  }
  const width = expected.dims.at(-1) ?? 1;
  for (let start = 0; start < b.length; start += width) {
    const [top, expectedTop] = [a, b].map((values) => indexOfMaximum(values, start, start + width));
    // Two nearly equal maxima may change places within the tolerance.
    const close = Math.abs(b[start + top!]! - b[start + expectedTop!]!) < 1e-5;
    expect(top === expectedTop || close, `${name}: largest value of row ${start / width}`).toBe(
      true,
    );
  }
}
