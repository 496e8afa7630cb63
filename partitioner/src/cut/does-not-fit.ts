import { PartitionError } from '../error.js';
import type { Program } from '../graph/program.js';
import { leastWeights } from './least-weights.js';
import { engineBytes, type ProgramChain, type StageLimits } from './program-chain.js';

/** Rounded up, so that what is asked for is enough. */
function mebibytes(bytes: number): string {
  return `${(Math.ceil((bytes / 1024 ** 2) * 10) / 10).toFixed(1)} MiB`;
}

function heapText(limits: StageLimits, reserved = engineBytes): string {
  return (
    `a worker's heap of ${mebibytes(limits.maxHeapBytes)}, ` +
    `of which the engine, with tasks that wait, takes ${mebibytes(reserved)}`
  );
}

/** Why node `index` fits no worker, whatever its weights may be; undefined where that is not so. */
function heapOrMessage(
  program: Program,
  chain: ProgramChain,
  limits: StageLimits,
  index: number,
): string | undefined {
  const { op, name } = program.nodes[index]!;
  const { weightsBytes, scratchBytes } = chain.memory(index, index + 1);
  const reserved = chain.reservedBytes(index, index + 1);
  const excess = weightsBytes + scratchBytes + reserved - limits.maxHeapBytes;
  if (excess > 0) {
    const advice =
      weightsBytes + engineBytes > limits.maxHeapBytes
        ? 'one operation is never cut: make it several smaller ones in the model'
        : 'plan with smaller dims';
    return (
      `${op} "${name}" alone takes ${mebibytes(weightsBytes)} of weights and ` +
      `${mebibytes(scratchBytes)} of activations, ${mebibytes(excess)} more than fit ` +
      `${heapText(limits, reserved)}: ${advice}`
    );
  }
  const passing = Math.max(
    index > 0 ? chain.bytes(index) : 0,
    index + 1 < chain.nodes ? chain.bytes(index + 1) : 0,
  );
  if (passing <= limits.maxMessageBytes) return undefined;
  return (
    `around ${op} "${name}" ${mebibytes(passing)} would pass from stage to stage, a message holds ` +
    `${mebibytes(limits.maxMessageBytes)}: plan with smaller dims, or allow more weights a worker so ` +
    'that there is no border'
  );
}

const branchText =
  'a branch that is only taken where its condition is true runs on one worker; give an input that ' +
  'decides it a fixed value (--fix NAME=VALUE)';

/** The error of a program that cannot be cut with these limits, whatever the number of workers. */
export function doesNotFit(
  program: Program,
  chain: ProgramChain,
  limits: StageLimits,
): PartitionError {
  const least = leastWeights(chain, chain.nodes);
  if (least !== undefined) {
    const largest = program.nodes
      .map((node, index) => ({ node, bytes: chain.memory(index, index + 1).weightsBytes }))
      .reduce((one, other) => (other.bytes > one.bytes ? other : one));
    const why =
      largest.bytes > limits.maxWeightsBytes
        ? `${largest.node.op} "${largest.node.name}" alone has ${mebibytes(largest.bytes)} of weights, ` +
          `${mebibytes(largest.bytes - limits.maxWeightsBytes)} too many`
        : 'where less would pass from stage to stage, more weights lie together';
    return new PartitionError(
      'does-not-fit',
      `${why}, and a worker may hold ${mebibytes(limits.maxWeightsBytes)}: ` +
        `allow at least ${mebibytes(least)} of weights a worker`,
      { leastWeightsBytes: least },
    );
  }
  const reasons = program.nodes.map((_, index) => heapOrMessage(program, chain, limits, index));
  const tooLarge = reasons.find((reason) => reason?.includes('alone')) ?? reasons.find(Boolean);
  return new PartitionError(
    'does-not-fit',
    tooLarge ??
      `the model cannot be cut so that weights and activations of each part fit ${heapText(limits)}, ` +
        `and what passes between them a message of ${mebibytes(limits.maxMessageBytes)}: ` +
        (chain.hasBranches ? branchText : 'plan with smaller dims'),
  );
}

/** The error of a program that cannot be cut into the stages asked for; it can into `leastWorkers`. */
export function tooFewWorkers(
  chain: ProgramChain,
  limits: StageLimits,
  asked: { stages: number; pipelines: number },
  leastWorkers: number,
): PartitionError {
  if (asked.stages >= leastWorkers) {
    const why = chain.hasBranches
      ? branchText
      : `at most of its borders more would pass than a message of ${mebibytes(limits.maxMessageBytes)} holds`;
    return new PartitionError(
      'does-not-fit',
      `the model cannot be cut into ${asked.stages} stages: ${why}; ask for fewer, at least ${leastWorkers}`,
      { leastWorkers },
    );
  }
  const least = leastWeights(chain, asked.stages);
  const each = asked.pipelines > 1 ? ' in each pipeline' : '';
  const workers = `${asked.stages} worker${asked.stages === 1 ? '' : 's'}${each}`;
  const needed = `it needs at least ${leastWorkers} workers${each}`;
  const text =
    least === undefined
      ? `the model does not fit ${workers}: weights and activations of one of them would not fit ` +
        `${heapText(limits)}${excessText(chain, limits, asked.stages)}; ${needed}`
      : `the model does not fit ${workers} of at most ${mebibytes(limits.maxWeightsBytes)} of weights, ` +
        `by ${mebibytes(least - limits.maxWeightsBytes)}: ${needed}, or ${mebibytes(least)} of weights a worker`;
  return new PartitionError('does-not-fit', text, { leastWorkers, leastWeightsBytes: least });
}

/** By how much the weights are more than so many heaps hold, where that is so. */
function excessText(chain: ProgramChain, limits: StageLimits, stages: number): string {
  const { weightsBytes } = chain.memory(0, chain.nodes);
  const excess = weightsBytes - stages * (limits.maxHeapBytes - engineBytes);
  return excess > 0 ? `; its weights are ${mebibytes(excess)} more than their heaps hold` : '';
}
