/** What the head knows of later stages that are low on cycles: they tell it with their news. */
import { time } from '../ic/ic0';
import { mostSilentLooks, watchSeconds } from '../pacing/limits';

/** A stage that has tasks tells it again before that has passed. */
const heldNs: u64 = mostSilentLooks * watchSeconds * 1_000_000_000;
let toldAt: u64 = 0;

export function noteLowStage(): void {
  toldAt = time();
}

export function isStageLow(): bool {
  return toldAt != 0 && time() < toldAt + heldNs;
}
