import type { Program } from '../program.js';
import { foldIntoWeights } from './fold-into-weights.js';
import { fuseEpilogues } from './fuse-epilogues.js';
import { gatedActivations } from './gated-activations.js';
import { integerScales } from './integer-scales.js';
import { mergeAffine } from './merge-affine.js';
import { mergeTransposes, skipTransposesOfOnes } from './merge-transposes.js';
import { removeIdentities } from './remove-identities.js';
import { removeUnusedOperations } from './remove-unused.js';
import { scalarOperands } from './scalar-operands.js';
import { shareWeights } from './share-weights.js';
import { sinkTransposes } from './sink-transposes.js';

/** A change of a program that keeps what it computes. Returns whether anything changed. */
export type Pass = (program: Program) => boolean;

/**
 * Groups of passes. Each group runs until none of it finds anything to do, then the next: steps
 * become activations before epilogues take them in, and weights take in what they can first, when it is
 * known which of them are shared.
 */
const groups: readonly (readonly Pass[])[] = [
  [removeIdentities, removeUnusedOperations],
  [sinkTransposes, mergeTransposes, skipTransposesOfOnes, removeIdentities, removeUnusedOperations],
  [integerScales, removeUnusedOperations],
  [scalarOperands, mergeAffine, gatedActivations, removeIdentities, removeUnusedOperations],
  [shareWeights],
  [foldIntoWeights, removeUnusedOperations],
  [fuseEpilogues, foldIntoWeights, removeUnusedOperations],
  [shareWeights],
];

/** Runs all passes. */
export function runPasses(program: Program): Program {
  for (const passes of groups) {
    for (let changed = true; changed;) {
      changed = false;
      for (const pass of passes) changed = pass(program) || changed;
    }
  }
  return program;
}
