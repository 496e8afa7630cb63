import { limits } from '../costs/index.js';
import { ErrorCode } from '../errors.js';
import { idKey, principalToText } from '../principal.js';
import { requestPayloadBytes, RESPONSE_RESERVATION_BYTES, type Closure } from '../state/index.js';
import { BYTE_OUT } from './costs.js';
import type { Execution } from './execution.js';
import { readHeap, type Address, type ApiContext, type ApiGroup } from './function.js';
import {
  HypervisorError,
  invalidPrincipal,
  toolchainViolation,
  userViolation,
} from './hypervisor-error.js';
import { MODES } from './modes.js';

/** Largest payload of a request within a subnet. */
const MAX_REQUEST_BYTES = limits.messages.sameSubnetRequestBytes;
/** Longest name of a method that may be called. */
const MAX_METHOD_NAME_BYTES = 20_000;
/** Longest time a best-effort call may wait. */
const MAX_TIMEOUT_SECONDS = 300;
/** Reject code that `call_perform` returns for a call that cannot be made now. */
const SYS_TRANSIENT = 2;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Takes cycles from the balance without freezing the canister. */
export function withdrawForTransfer(execution: Execution, amount: bigint): void {
  if (execution.balance < amount + execution.freezingThreshold()) {
    throw new HypervisorError(
      ErrorCode.CanisterContractViolation,
      `Canister ${principalToText(execution.canister.id)} is out of cycles`,
    );
  }
  execution.balance -= amount;
}

function underConstruction({ execution }: ApiContext, name: string) {
  if (!execution.call)
    throw toolchainViolation(`${name} called when no call is under construction.`);
  return execution.call;
}

function closure(fun: Address, env: Address): Closure {
  return { fun: Number(fun), env };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Seconds are what deadlines count. */
function deadlineOf(timeNs: bigint, timeoutSeconds: number | undefined): bigint {
  if (timeoutSeconds === undefined) return 0n;
  return ((timeNs + BigInt(timeoutSeconds) * 1_000_000_000n) / 1_000_000_000n) * 1_000_000_000n;
}

/** Queues the call, or returns why it cannot be made now. */
function perform(context: ApiContext): number {
  const { execution } = context;
  const call = underConstruction(context, 'ic0.call_perform');
  execution.call = undefined;
  const { fees, timeNs } = execution.input;
  const payload = joined(call.payload, call.payloadBytes);
  const deadline = deadlineOf(timeNs, call.timeoutSeconds);
  const receiverKey = idKey(call.callee);
  const memory64 = execution.input.memory64 === true;
  const prepaidExecution = fees.callbackPrepayment(memory64);
  const prepaidTransmission = fees.responsePrepayment;
  const requestFee = fees.request(requestPayloadBytes(call.method, payload));
  const fee = requestFee + prepaidExecution + prepaidTransmission;
  const affordable =
    !execution.replicated || execution.balance >= fee + execution.freezingThreshold();
  if (!affordable || execution.slotsLeft(receiverKey, call.callee) <= 0) {
    execution.balance += call.cycles;
    return SYS_TRANSIENT;
  }
  execution.useSlot(receiverKey);
  if (execution.replicated) execution.balance -= fee;
  if (deadline === 0n) execution.memory.addMessageBytes(RESPONSE_RESERVATION_BYTES);
  execution.calls.push({
    request: {
      kind: 'request',
      sender: execution.canister.id,
      receiver: call.callee,
      method: call.method,
      arg: payload,
      cycles: call.cycles,
      deadline,
    },
    onReply: call.onReply,
    onReject: call.onReject,
    onCleanup: call.onCleanup,
    prepaidExecution,
    prepaidTransmission,
    fee: requestFee,
  });
  return 0;
}

/** Calls to other canisters. */
export const calls: ApiGroup = {
  call_new: {
    params: ['I', 'I', 'I', 'I', 'I', 'I', 'I', 'I'],
    allowed: MODES.calling,
    bytes: (_context, _callee: Address, calleeSize: Address, _name: Address, nameSize: Address) =>
      typeof calleeSize === 'number' && typeof nameSize === 'number'
        ? calleeSize + nameSize
        : BigInt(calleeSize) + BigInt(nameSize),
    run: (
      context,
      calleeSrc: Address,
      calleeSize: Address,
      nameSrc: Address,
      nameSize: Address,
      replyFun: Address,
      replyEnv: Address,
      rejectFun: Address,
      rejectEnv: Address,
    ) => {
      const { execution } = context;
      execution.dropCall();
      if (nameSize > MAX_METHOD_NAME_BYTES) {
        throw userViolation(
          `Size of method_name ${nameSize} exceeds the allowed limit of ${MAX_METHOD_NAME_BYTES}.`,
          'Size of method_name {} exceeds the allowed limit of {}.',
          'canister-made-a-call-with-too-large-method-name',
        );
      }
      const method = decoder.decode(
        readHeap(context, 'ic0.call_new method_name', nameSrc, nameSize),
      );
      const callee = readHeap(context, 'ic0.call_new callee_src', calleeSrc, calleeSize);
      if (callee.length > 29) throw invalidPrincipal();
      execution.call = {
        callee,
        method,
        methodBytes: Buffer.byteLength(method),
        onReply: closure(replyFun, replyEnv),
        onReject: closure(rejectFun, rejectEnv),
        onCleanup: undefined,
        payload: [],
        payloadBytes: 0,
        cycles: 0n,
        timeoutSeconds: undefined,
      };
    },
  },
  call_data_append: {
    params: ['I', 'I'],
    allowed: MODES.calling,
    bytes: (_context, _src: Address, size: Address) =>
      typeof size === 'number' ? BYTE_OUT * size : BigInt(BYTE_OUT) * size,
    run: (context, src: Address, size: Address) => {
      const call = underConstruction(context, 'ic0.call_data_append');
      const current = call.methodBytes + call.payloadBytes;
      if (size > MAX_REQUEST_BYTES - current) {
        throw userViolation(
          `Request to ${principalToText(call.callee)}:${call.method} has a payload size of ${BigInt(current) + BigInt(size)}, which exceeds the allowed limit of ${MAX_REQUEST_BYTES}.`,
          'Check the canister for errors or redesign the target API to allow shorter messages',
          'canister-made-a-call-with-too-large-payload',
        );
      }
      call.payload.push(readHeap(context, 'ic0.call_data_append', src, size));
      call.payloadBytes += size as number;
    },
  },
  call_on_cleanup: {
    params: ['I', 'I'],
    allowed: MODES.calling,
    run: (context, fun: Address, env: Address) => {
      const call = underConstruction(context, 'ic0.call_on_cleanup');
      if (call.onCleanup) {
        throw toolchainViolation(
          'ic0.call_on_cleanup can be called at most once between `ic0.call_new` and `ic0.call_perform`',
        );
      }
      call.onCleanup = closure(fun, env);
    },
  },
  call_with_best_effort_response: {
    params: ['i'],
    allowed: MODES.calling,
    run: (context, seconds: number) => {
      const call = underConstruction(context, 'ic0.call_with_best_effort_response');
      if (call.timeoutSeconds !== undefined) {
        throw toolchainViolation(
          'ic0_call_with_best_effort_response failed because a timeout is already set.',
        );
      }
      call.timeoutSeconds = Math.min(seconds, MAX_TIMEOUT_SECONDS);
    },
  },
  call_perform: {
    params: [],
    result: 'i',
    allowed: MODES.calling,
    run: perform,
  },
};
