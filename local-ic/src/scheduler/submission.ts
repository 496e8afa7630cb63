import { ErrorCode, UserError } from '../errors.js';
import { principalToText } from '../principal.js';
import type { Canister } from '../state/index.js';
import type { ExecutionContext } from './context.js';
import { checkIngressFee, ingressBytes, notRunning } from './ingress-induction.js';
import { rollbackMemory, runEntry, sharedInput } from './run.js';

/** An ingress message for a canister before it is accepted. */
export interface Submission {
  readonly sender: Uint8Array;
  readonly receiver: Uint8Array;
  readonly method: string;
  readonly arg: Uint8Array;
}

/**
 * Checks whether a canister takes an ingress message: its cycles, its status, its
 * `canister_inspect_message`. Throws UserError.
 */
export function checkSubmission(context: ExecutionContext, submission: Submission): void {
  const canister = context.subnet.canister(submission.receiver);
  if (!canister) {
    throw new UserError(
      ErrorCode.CanisterNotFound,
      `Canister ${principalToText(submission.receiver)} not found`,
    );
  }
  const fee = context.fees.ingress(ingressBytes(submission));
  checkIngressFee(context, canister, fee, canister.isController(submission.sender));
  const refusal = notRunning(canister);
  if (refusal) throw refusal;
  if (canister.native) return;
  if (!canister.code) {
    throw new UserError(
      ErrorCode.CanisterWasmModuleNotFound,
      'Requested canister has no wasm module',
    );
  }
  if (canister.code.module.compositeQueries.has(submission.method)) {
    throw new UserError(
      ErrorCode.CompositeQueryCalledInReplicatedMode,
      'Composite query cannot be called in replicated mode',
    );
  }
  inspect(context, canister, submission);
}

function inspect(context: ExecutionContext, canister: Canister, submission: Submission): void {
  const code = canister.code!;
  if (!code.module.hooks.has('canister_inspect_message')) return;
  const limit = context.limits.inspectMessage;
  const { execution, error } = runEntry(
    code,
    {
      ...sharedInput(context, canister),
      mode: 'inspect message',
      caller: submission.sender,
      arg: submission.arg,
      methodName: submission.method,
      instructionLimit: limit,
      slice: limit,
    },
    { export: 'canister_inspect_message' },
    limit,
  );
  rollbackMemory(code);
  if (error) throw error.toUserError(canister.id);
  if (execution.accepted) return;
  throw new UserError(
    ErrorCode.CanisterRejectedMessage,
    `Error from Canister ${principalToText(canister.id)}: Canister rejected the message`,
  );
}
