import { nextExecution } from './next-execution.js';
import type { Canister, InputMessage } from '../state/index.js';
import { noteProcessing } from './answers.js';
import { startCall, type Task } from './call.js';
import type { ExecutionContext } from './context.js';
import { startResponse } from './response.js';
import type { RoundScheduler } from './round-scheduler.js';
import { PausedWork, type Finished, type Work } from './work.js';

/** What one thread did in an iteration. */
export interface ThreadResult {
  /** Instructions, overheads included, that its budget was charged with. */
  readonly instructions: number;
  readonly heapDelta: number;
  /** Messages, tasks and slices that were taken up. */
  readonly messages: number;
}

/** What executing one message, or one slice of it, came to. */
interface Step {
  /** Instructions of the slice. */
  readonly instructions: number;
  /** Undefined when the message is paused. */
  readonly finished: Finished | undefined;
}

function begin(
  context: ExecutionContext,
  canister: Canister,
  message: InputMessage | Task,
  work: Work | Finished,
): Step {
  if (!('slices' in work)) return { instructions: 0, finished: work };
  if (work.slices.length === 1) return { instructions: work.slices[0]!, finished: work.finish() };
  const paused = new PausedWork(canister, canister.code!, work);
  canister.paused = paused;
  if (message.kind !== 'task') noteProcessing(context, message);
  return { instructions: paused.resume().instructions, finished: undefined };
}

function takeTask(canister: Canister): Task | undefined {
  if (canister.lowWasmMemoryHook === 'ready') {
    canister.lowWasmMemoryHook = 'executed';
    return { kind: 'task', task: 'lowWasmMemory' };
  }
  const task = canister.tasks.shift();
  return task && { kind: 'task', task };
}

/** Executes the next message or slice of a canister. */
function step(context: ExecutionContext, canister: Canister): Step {
  if (canister.paused instanceof PausedWork) {
    const { instructions, finished } = canister.paused.resume();
    return { instructions, finished };
  }
  const task = takeTask(canister);
  if (task) return begin(context, canister, task, startCall(context, canister, task));
  const message = canister.queues.popInput();
  if (!message) return { instructions: 0, finished: { instructions: 0, heapDelta: 0 } };
  return begin(
    context,
    canister,
    message,
    message.kind === 'response'
      ? startResponse(context, canister, message)
      : startCall(context, canister, message),
  );
}

/**
 * Executes the canisters of one thread, each with all its messages, until `budget` is used. A message
 * starts while anything is left of the budget.
 */
export function runThread(
  context: ExecutionContext,
  canisters: readonly Canister[],
  budget: number,
  iteration: number,
  scheduler: RoundScheduler,
): ThreadResult {
  const { limits } = context;
  const { round } = context.subnet;
  let left = budget;
  let messages = 0;
  let heapDelta = 0;
  canisters.forEach((canister, rank) => {
    if (left <= 0 || heapDelta >= limits.heapDeltaPerIteration) return;
    let used = 0;
    while (left > 0) {
      const next = nextExecution(canister);
      if (next === 'none' || next === 'continueInstallCode') break;
      const wasPaused = canister.paused?.state === 'paused';
      const { instructions, finished } = step(context, canister);
      messages++;
      const isSkipped = finished?.skipped === true;
      left -=
        instructions + (isSkipped ? limits.overheadOfSkippedMessage : limits.overheadPerMessage);
      context.observer?.({
        round,
        iteration,
        canisterId: canister.id,
        instructions,
        finished: finished && { heapDelta: finished.heapDelta, touched: finished.touched },
      });
      if (finished) {
        used += finished.instructions;
        heapDelta += finished.heapDelta;
        canister.scheduler.heapDeltaDebit += finished.heapDelta;
      }
      if (heapDelta >= limits.heapDeltaPerIteration) break;
      if (wasPaused && !canister.paused) break;
      if (!finished) break;
    }
    scheduler.noteTurn(canister, rank);
    if (used > 0) left -= limits.overheadPerCanister;
  });
  return { instructions: budget - left, heapDelta, messages };
}
