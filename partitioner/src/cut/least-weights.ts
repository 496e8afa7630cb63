import type { ProgramChain } from './program-chain.js';

/**
 * The least bytes of weights that a worker must be allowed to hold so that the chain can be cut at all.
 *
 * @param stages most stages there may be
 * @returns undefined where no number helps: the heap or messages between stages are too small
 */
export function leastWeights(chain: ProgramChain, stages: number): number | undefined {
  const weights = Array.from({ length: chain.nodes }, (_, start) => chain.weightsFrom(start));
  // best[end]: the largest weights of a stage when nodes [0, end) are cut into the stages so far.
  let best = Array.from({ length: chain.nodes + 1 }, (_, end) => (end === 0 ? 0 : Infinity));
  for (let stage = 0; stage < Math.min(stages, chain.nodes); stage++) {
    const next = [...best];
    for (let start = 0; start < chain.nodes; start++) {
      if (best[start] === Infinity) continue;
      for (let end = start + 1; end <= chain.nodes; end++) {
        const largest = Math.max(best[start]!, weights[start]![end]!);
        if (largest < next[end]!) next[end] = largest;
      }
    }
    if (next.every((value, end) => value === best[end])) break;
    best = next;
  }
  const least = best[chain.nodes]!;
  return least === Infinity ? undefined : least;
}
