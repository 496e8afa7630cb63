import { canisterLowMemoryHook, type CallContext, type Canister } from '../state/index.js';
import type { Execution } from '../system-api/index.js';
import type { ExecutionContext } from './context.js';
import { sendCall } from './outgoing.js';

/** Applies what a message that ended well asked for, except its answer. */
export function applyEffects(
  context: ExecutionContext,
  canister: Canister,
  execution: Execution,
  call: CallContext | undefined,
): void {
  canister.balance += execution.balanceChange;
  canister.reservedBalance += execution.reservedCycles;
  canister.consumption.burned_cycles += execution.burnedCycles;
  if (call) call.availableCycles = execution.availableCycles;
  context.subnetMemory.available -= execution.memory.allocated;
  if (call) for (const outgoing of execution.calls) sendCall(context, canister, call, outgoing);
  if (execution.certifiedData) canister.certifiedData = execution.certifiedData;
  if (execution.newGlobalTimer !== undefined) {
    canister.globalTimer = execution.newGlobalTimer === 0n ? undefined : execution.newGlobalTimer;
  }
  const { lowWasmMemory } = execution.memory;
  if (lowWasmMemory !== undefined && execution.mode !== 'replicated query') {
    canisterLowMemoryHook(canister, lowWasmMemory);
  }
  canister.version++;
}

/** Keeps what a message printed, whether it ended well or not. */
export function applyLog(canister: Canister, execution: Execution): void {
  if (execution.log.records.length > 0) canister.log.append(execution.log);
}
