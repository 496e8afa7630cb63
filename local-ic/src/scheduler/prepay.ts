import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import { freezingThreshold, grouped, type Canister } from '../state/index.js';
import type { ExecutionContext } from './context.js';

/** "… is out of cycles …"; how many are missing is told to controllers only. */
export function outOfCyclesText(canister: Canister, missing: bigint | undefined): string {
  const text = `Canister ${principalToText(canister.id)} is out of cycles`;
  if (missing === undefined) return text;
  return `${text}: please top up the canister with at least ${grouped(missing)} additional cycles`;
}

/**
 * Takes cycles without freezing the canister. Throws UserError (CanisterOutOfCycles); `reveal` tells
 * how many are missing.
 */
export function withdraw(
  context: ExecutionContext,
  canister: Canister,
  cycles: bigint,
  reveal: boolean,
): void {
  if (cycles === 0n) return;
  const needed = cycles + freezingThreshold(context.fees, canister);
  const available = canister.balance - canister.ingressDebit;
  if (available < needed) {
    throw new UserError(
      ErrorCode.CanisterOutOfCycles,
      outOfCyclesText(canister, reveal ? needed - available : undefined),
    );
  }
  canister.balance -= cycles;
}

/** Takes the price of a whole message ahead; returns it. */
export function prepayExecution(
  context: ExecutionContext,
  canister: Canister,
  instructionLimit: number,
  reveal: boolean,
  memory64 = canister.code?.module.memory64 === true,
): bigint {
  const price = context.fees.execution(instructionLimit, memory64);
  withdraw(context, canister, price, reveal);
  return price;
}

/** Gives back what was paid for instructions that were not used. */
export function refundExecution(
  context: ExecutionContext,
  canister: Canister,
  prepaid: bigint,
  instructionLimit: number,
  used: number,
  memory64 = canister.code?.module.memory64 === true,
): void {
  const left = Math.max(0, instructionLimit - used);
  const refund = context.fees.instructions(left, memory64);
  const back = refund < prepaid ? refund : prepaid;
  canister.balance += back;
  canister.consumption.instructions += prepaid - back;
}

/** Takes the ingress fees that were put off while an execution was paused. */
export function applyIngressDebit(canister: Canister): void {
  canister.balance -= canister.ingressDebit;
  canister.ingressDebit = 0n;
}
