import type { Feeds, TensorLike } from '@canopy/client';
import { DType, type DTypeName } from '@canopy/protocol';
import { CommandError } from './errors.js';
import { numbersOf } from './tensors/json.js';

/** How far the outputs of a run are from those of onnxruntime. */
export interface Comparison {
  output: string;
  /** Largest difference of two numbers; infinite where one is a number and the other is none. */
  largestDifference: number;
  /** Where it is, and what stands there. */
  at?: { index: number; given: number; expected: number };
  /** Whether every difference is small enough: at most the tolerance, times the number where that is above 1. */
  equal: boolean;
}

/** Difference of two numbers; 0 of equal infinities and where neither is a number. */
function differenceOf(given: number | bigint, expected: number | bigint): number {
  if (Object.is(given, expected) || given === expected) return 0;
  // Exact of 64-bit integers: both are of one type.
  const difference =
    typeof given === 'bigint' && typeof expected === 'bigint'
      ? Math.abs(Number(given - expected))
      : Math.abs(Number(given) - Number(expected));
  return Number.isNaN(difference) ? Infinity : difference;
}

function numbers({ type, data }: TensorLike): (number | bigint)[] {
  if (!(type in DType) || !ArrayBuffer.isView(data)) {
    throw new CommandError(`a tensor of ${type} cannot be compared`);
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return numbersOf({ dtype: type as DTypeName, data: bytes });
}

/** Compares one output. Whole numbers must be the same. Throws where types or shapes differ. */
export function compareOutput(
  output: string,
  given: TensorLike,
  expected: TensorLike,
  tolerance: number,
): Comparison {
  const shape = ({ type, dims }: TensorLike): string => `${type}[${dims.join(',')}]`;
  if (shape(given) !== shape(expected)) {
    throw new CommandError(
      `output "${output}" is ${shape(given)}, onnxruntime gives ${shape(expected)}`,
    );
  }
  const limit = given.type.startsWith('float') ? tolerance : 0;
  const [ours, theirs] = [numbers(given), numbers(expected)];
  let worst = 0;
  let index = -1;
  let equal = true;
  theirs.forEach((number, at) => {
    const difference = differenceOf(ours[at]!, number);
    const size = Math.abs(Number(number));
    const allowed = Number.isFinite(size) ? limit * Math.max(1, size) : limit;
    if (difference > allowed) equal = false;
    if (difference > worst) [worst, index] = [difference, at];
  });
  const at =
    index < 0
      ? undefined
      : { index, given: Number(ours[index]!), expected: Number(theirs[index]!) };
  return { output, largestDifference: worst, equal, ...(at && { at }) };
}

/** Outputs of onnxruntime for a model file, in the model's own precision. Throws {@link CommandError} where it is not installed. */
export async function runReference(
  path: string,
  feeds: Feeds,
): Promise<Readonly<Record<string, TensorLike>>> {
  let runtime: typeof import('onnxruntime-node');
  try {
    runtime = await import('onnxruntime-node');
  } catch (error) {
    throw new CommandError(
      `--check needs onnxruntime-node, which cannot be loaded here (${(error as Error).message.split('\n', 1)[0]!}): ` +
        'npm install onnxruntime-node',
    );
  }
  try {
    const session = await runtime.InferenceSession.create(path, {
      logSeverityLevel: 3,
      // Products with quantized weights in float32, as the model states them: left alone, onnxruntime
      // rounds their inputs to 8 bits, too.
      extra: { session: { qdq_matmulnbits_accuracy_level: '1' } },
    });
    const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new runtime.Tensor(type as 'float32', data as Float32Array, dims),
    ]);
    const outputs: unknown = await session.run(Object.fromEntries(tensors) as never);
    await session.release();
    return outputs as Record<string, TensorLike>;
  } catch (error) {
    throw new CommandError(`onnxruntime cannot run ${path}: ${(error as Error).message}`);
  }
}

/** Compares all outputs of a run with those that onnxruntime gives for a model file. */
export async function checkOutputs(
  path: string,
  feeds: Feeds,
  outputs: Readonly<Record<string, TensorLike>>,
  tolerance: number,
): Promise<Comparison[]> {
  const expected = await runReference(path, feeds);
  return Object.entries(outputs).map(([name, given]) => {
    const reference = expected[name];
    if (reference === undefined) {
      throw new CommandError(
        `${path} has no output "${name}": it is not the model that was deployed`,
      );
    }
    return compareOutput(name, given, reference, tolerance);
  });
}
