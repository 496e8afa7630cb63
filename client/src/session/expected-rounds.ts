import { decodeBundle, sliceInstructions, type Plan } from '@canopy/protocol';

/**
 * Most rounds a request may be expected to take where its call is kept open until the result is there.
 * PocketIC waits 100 rounds for a call, and the IC remembers one for five minutes.
 */
const mostRoundsOfOpenCall = 40;

/** Rounds a request of so many rows takes if only one worker at a time gets a slice a round. */
export function expectedRounds(plan: Plan, rows: number): number {
  const instructions = plan.stages.reduce((sum, { predictions }) => {
    const prediction = predictions.at(-1);
    return sum + (prediction ? (prediction.instructions / prediction.rows) * rows : 0);
  }, 0);
  return Math.ceil(instructions / sliceInstructions);
}

/** Whether a request takes so many rounds that its result is better fetched later. */
export function isLong(plan: Plan, inputs: Uint8Array): boolean {
  const rows = plan.rowsIndependent ? (decodeBundle(inputs)[0]?.dims[0] ?? 1) : 1;
  return expectedRounds(plan, rows) > mostRoundsOfOpenCall;
}
