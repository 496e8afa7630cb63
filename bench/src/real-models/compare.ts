/** A tensor of onnxruntime or of the client. */
export interface AnyTensor {
  type: string;
  dims: readonly number[];
  data: unknown;
}

function text({ type, dims }: AnyTensor): string {
  return `${type}[${dims.join(',')}]`;
}

/** Difference of two elements, relative where the right one is above 1; 0 where both are no numbers. */
function difference(given: number | bigint, right: number | bigint): number {
  if (given === right || Object.is(given, right)) return 0;
  const apart = Math.abs(Number(given) - Number(right)) / Math.max(1, Math.abs(Number(right)));
  return Number.isNaN(apart) ? Infinity : apart;
}

/**
 * Largest difference of two tensors, relative where the right number is above 1; infinite where whole
 * numbers differ. Throws where types or shapes differ.
 */
export function largestDifference(name: string, given: AnyTensor, right: AnyTensor): number {
  if (text(given) !== text(right)) {
    throw new Error(`"${name}" is ${text(given)}, and onnxruntime gives ${text(right)}`);
  }
  const [ours, theirs] = [given.data, right.data] as ArrayLike<number | bigint>[];
  let worst = 0;
  for (let index = 0; index < theirs!.length; index++) {
    worst = Math.max(worst, difference(ours![index]!, theirs![index]!));
  }
  return worst > 0 && !right.type.startsWith('float') ? Infinity : worst;
}
