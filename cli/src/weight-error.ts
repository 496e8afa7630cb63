import type { Feeds, TensorLike } from '@canopy/client';
import type { PlannedModel } from '@canopy/partitioner';
import { runReference } from './check.js';
import { CommandError } from './errors.js';

/** How far an output of a plan's canisters is from what onnxruntime gives for the model file in f32. */
export interface OutputError {
  output: string;
  /** Largest and mean absolute difference. */
  largest: number;
  mean: number;
  /** Largest absolute number that onnxruntime gives, to compare the differences with. */
  magnitude: number;
  /** Cosine of the angle between both, as vectors; 1 where they point the same way. */
  cosine: number;
  /** Rows along the last axis, and how many of them have their largest number elsewhere. */
  rows: number;
  topChanged: number;
}

/** What a plan's integers cost in exactness and in instructions, on given inputs. */
export interface WeightError {
  outputs: OutputError[];
  /** Instructions of all stages, as counted on the embedded IC. */
  instructions: number;
}

function indexOfLargest(values: ArrayLike<number>, start: number, count: number): number {
  let best = start;
  for (let i = start + 1; i < start + count; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

/** Differences of one output of floats. */
export function outputError(
  output: string,
  given: ArrayLike<number>,
  expected: ArrayLike<number>,
  rowSize: number,
): OutputError {
  let [largest, sum, magnitude, dot, ours, theirs] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [given[i]!, expected[i]!];
    const difference = Object.is(a, b) || a === b ? 0 : Math.abs(a - b);
    // What is no number is as far away as can be.
    largest = Math.max(largest, Number.isNaN(difference) ? Infinity : difference);
    sum += difference;
    magnitude = Math.max(magnitude, Math.abs(b));
    dot += a * b;
    ours += a * a;
    theirs += b * b;
  }
  const size = Math.max(1, rowSize);
  const rows = Math.floor(expected.length / size);
  let topChanged = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * size;
    if (indexOfLargest(given, at, size) !== indexOfLargest(expected, at, size)) topChanged++;
  }
  return {
    output,
    largest,
    mean: expected.length === 0 ? 0 : sum / expected.length,
    magnitude,
    cosine: ours === 0 && theirs === 0 ? 1 : dot / Math.sqrt(ours * theirs),
    rows,
    topChanged,
  };
}

function floatsOf(name: string, { type, data }: TensorLike): ArrayLike<number> {
  if (type === 'float32' || type === 'float64') return data as Float32Array | Float64Array;
  throw new CommandError(`output "${name}" is ${type}: errors are told of floats`);
}

/**
 * Runs a plan on an embedded IC in this process and compares every output of floats with onnxruntime's.
 * Throws {@link CommandError} where onnxruntime cannot run the model, or none of its outputs are floats.
 */
export async function measureWeightError(
  path: string,
  planned: PlannedModel,
  feeds: Feeds,
): Promise<WeightError> {
  const { trialRun } = await import('@canopy/bench');
  const expected = await runReference(path, feeds);
  const { outputs, detail } = await trialRun(planned, feeds);
  const isFloat = ({ type }: TensorLike): boolean => type === 'float32' || type === 'float64';
  const errors = Object.entries(outputs)
    .filter(([, tensor]) => isFloat(tensor))
    .map(([name, tensor]) => {
      const reference = expected[name]!;
      if (tensor.dims.join() !== reference.dims.join()) {
        throw new CommandError(
          `output "${name}" is [${tensor.dims.join()}], onnxruntime gives [${reference.dims.join()}]`,
        );
      }
      const given = floatsOf(name, tensor);
      return outputError(name, given, floatsOf(name, reference), tensor.dims.at(-1) ?? 1);
    });
  if (errors.length === 0) throw new CommandError('the model gives no floats to compare');
  const instructions = detail.stages.reduce((sum, stage) => sum + Number(stage.instructions), 0);
  return { outputs: errors, instructions };
}

/** Throws {@link CommandError} where an output is further off than the owner allows. */
export function requireSmallError(error: WeightError, maxError: number | undefined): void {
  if (maxError === undefined) return;
  const worst = error.outputs.filter(({ largest }) => !(largest <= maxError));
  if (worst.length === 0) return;
  const texts = worst.map(({ output, largest }) => `"${output}" by ${largest.toExponential(2)}`);
  throw new CommandError(
    `off by more than --max-error ${maxError}: ${texts.join(', ')}; ` +
      'try --weights int8, or int4 in blocks of 32, or leave the weights in f32',
  );
}

/** The error as lines for people. */
export function describeWeightError({ outputs, instructions }: WeightError): string {
  const lines = outputs.map(({ output, largest, mean, magnitude, cosine, rows, topChanged }) => {
    const numbers = `largest ${largest.toExponential(2)}, mean ${mean.toExponential(2)}`;
    return (
      `${output}: ${numbers} (numbers up to ${magnitude.toPrecision(3)}), ` +
      `cosine ${cosine.toFixed(6)}, largest number elsewhere in ${topChanged} of ${rows} rows`
    );
  });
  return [
    'Error against onnxruntime in f32, measured on the embedded IC:',
    ...lines.map((line) => `  ${line}`),
    `  ${(instructions / 1e6).toFixed(1)} M instructions on all stages`,
  ].join('\n');
}
