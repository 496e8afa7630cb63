/** Cycles that the canister holds. */
import { CanisterError, floorGigacycles, reservedGigacycles } from '../../generated/constants';
import { fail, number, text } from '../../tensor/errors';
import { rejectFailure } from './answer';
import { canister_cycle_balance128, canister_liquid_cycle_balance128 } from './ic0';

const amount = memory.data(16, 8);
const gigacycle: u64 = 1_000_000_000;

/** What is in `amount`; the most there is where that is more. */
function amountThere(): u64 {
  return load<u64>(amount, 8) == 0 ? load<u64>(amount) : u64.MAX_VALUE;
}

export function balance(): u64 {
  canister_cycle_balance128(amount);
  return amountThere();
}

/** The part of the balance above the freezing threshold. */
export function spendable(): u64 {
  canister_liquid_cycle_balance128(amount);
  return amountThere();
}

/** Whether no more is left than what is under way may take: nothing new is to be begun. */
export function isLow(): bool {
  return spendable() < <u64>reservedGigacycles * gigacycle;
}

/** Whether not even what is under way is sure to be finished. */
export function isAtFloor(): bool {
  return spendable() < <u64>floorGigacycles * gigacycle;
}

/** Rejects the message because there are too few cycles for what it asks. */
export function rejectForCycles(): void {
  fail(CanisterError.lowOnCycles);
  text('the worker has ');
  number(spendable() / 1_000_000);
  text(' M cycles above its freezing threshold and begins nothing new with so few: top it up');
  rejectFailure();
}
