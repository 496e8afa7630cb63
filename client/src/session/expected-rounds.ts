import { decodeBundle, sliceInstructions, type ModelInterface } from '@canopy/protocol';

/**
 * Most rounds a request may be expected to take where its call is kept open until the result is there.
 * PocketIC waits 100 rounds for a call, and the IC remembers one for five minutes.
 */
const mostRoundsOfOpenCall = 40;

/** Rounds a request of so many rows takes if only one worker at a time gets a slice a round. */
export function expectedRounds({ instructionsPerRow }: ModelInterface, rows: number): number {
  return Math.ceil((instructionsPerRow * rows) / sliceInstructions);
}

/** Whether a request takes so many rounds that its result is better fetched later. */
export function isLong(model: ModelInterface, inputs: Uint8Array): boolean {
  const rows = model.rowsIndependent ? (decodeBundle(inputs)[0]?.dims[0] ?? 1) : 1;
  return expectedRounds(model, rows) > mostRoundsOfOpenCall;
}
