import type { Program } from '../program.js';
import { removeIdentities } from './remove-identities.js';
import { removeUnusedOperations } from './remove-unused.js';

/** A change of a program that keeps what it computes. Returns whether anything changed. */
export type Pass = (program: Program) => boolean;

const passes: readonly Pass[] = [removeIdentities, removeUnusedOperations];

/** Runs all passes until none finds anything to do. */
export function runPasses(program: Program): Program {
  for (let changed = true; changed;) {
    changed = false;
    for (const pass of passes) changed = pass(program) || changed;
  }
  return program;
}
