import { constantBytes, type Constant } from './graph/constant.js';
import type { Graph } from './graph/graph.js';
import { storedBytes, type Program, type Weight } from './graph/program.js';

/** Bytes of a model's weights in its files and on the workers of one pipeline, and why they differ. */
export interface WeightSizes {
  fileBytes: number;
  workerBytes: number;
  /** What makes the difference; the sum is `workerBytes - fileBytes`. */
  differences: {
    /**
     * Constants computed in advance or stored in a wider type, less those that are folded into others,
     * the same as others, or used by nobody.
     */
    cleanUp: number;
    /** Weights that operations read in several packings. */
    severalForms: number;
    /** What matrices take less as integers with their scales; 0 or negative. */
    integers: number;
    /** Columns rounded up to 4, biases of zeros, alignment. */
    packing: number;
    /** Weights that operations on several workers read. */
    severalWorkers: number;
  };
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, one) => all + one, 0);

/** What tells constants apart: their place in a file, or themselves. */
function placeOf(constant: Constant): Constant | string {
  return constant.file ? `${constant.file.path}:${constant.file.offset}` : constant;
}

/** The numbers of the model that a weight is made of; undefined where it is computed. */
function sourceOf(weight: Weight): Constant | undefined {
  if (weight.kind === 'bias' || weight.kind === 'int8-scales') return undefined;
  return 'matrix' in weight ? weight.matrix.constant : weight.constant;
}

function sourceBytes(weight: Weight): number {
  const constant = sourceOf(weight);
  if (constant) return constantBytes(constant);
  return weight.kind === 'bias' ? weight.values.byteLength : 0;
}

/** What integers, or their scales, take more than the numbers they are made of. */
function savedBytes(weight: Weight): number {
  return storedBytes(weight) - sourceBytes(weight);
}

/**
 * @param original as the file has it
 * @param stages bytes of weights of each
 */
export function weightSizes(
  original: Graph,
  program: Program,
  stages: readonly { weightsBytes: number }[],
): WeightSizes {
  const fileBytes = sum([...original.constants.values()].map(constantBytes));
  const workerBytes = sum(stages.map(({ weightsBytes }) => weightsBytes));
  const weights = [...program.values.values()].flatMap(({ weight }) => weight ?? []);
  const sources = new Map(
    weights.map((weight) => {
      const constant = sourceOf(weight);
      return [constant ? placeOf(constant) : weight, sourceBytes(weight)];
    }),
  );
  const distinct = sum(sources.values());
  const asRead = sum(weights.map(sourceBytes));
  const packed = sum(weights.map(storedBytes));
  const integers = sum(weights.filter((weight) => 'matrix' in weight).map(savedBytes));
  return {
    fileBytes,
    workerBytes,
    differences: {
      cleanUp: distinct - fileBytes,
      severalForms: asRead - distinct,
      integers,
      packing: packed - asRead - integers,
      severalWorkers: workerBytes - packed,
    },
  };
}
