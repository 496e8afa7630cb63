import {
  Principal,
  call,
  canisterSelf,
  canisterVersion,
  isController,
  msgCaller,
  setTimer,
  time,
} from 'azle';
import { CanisterError } from '@canopy/protocol';
import { CallFailure, CleanupOnly, type Ic, type PrincipalLike } from './ic.js';
import { OpenCalls } from './open-calls.js';

/** What azle's `call` throws (its type `CallError`). */
interface AzleCallError {
  type?: string;
  message?: string;
  rejectCode?: number;
  rejectMessage?: string;
  available?: bigint;
  required?: bigint;
}

function translate(error: AzleCallError): Error {
  switch (error.type) {
    case 'CallRejected':
      return new CallFailure(error.rejectCode ?? 0, error.rejectMessage ?? '');
    case 'CallPerformFailed':
      return new CallFailure(
        0,
        `[${CanisterError.busy.code}] the coordinator has as many calls under way as it may: try later`,
      );
    case 'InsufficientLiquidCycleBalance':
      return new CallFailure(
        0,
        `the coordinator has ${String(error.available)} cycles to spend and needs ` +
          `${String(error.required)} for the call: add cycles`,
      );
    case 'CleanupCallback':
      return new CleanupOnly('cleaning up after a trap');
    default:
      return new CallFailure(0, error.message ?? 'the call failed without a reason');
  }
}

/** `canisterVersion` is version * 4 + status. */
const statusBits = 2n;
const stopped = 3n;

/** A canister that is stopped has no open calls, whatever its memory says. */
const isStopped = (): boolean => BigInt.asUintN(Number(statusBits), canisterVersion()) === stopped;

/** All calls go through {@link azleIc}, which counts them here. */
export const openCalls = new OpenCalls(() => time(), isStopped);

/** azle's side of {@link Ic}. */
export const azleIc: Ic = {
  caller: () => msgCaller(),
  self: () => canisterSelf(),
  principal: (bytes) => Principal.fromUint8Array(bytes),
  isController: (principal) => isController(asPrincipal(principal)),
  now: () => time(),
  version: () => canisterVersion() >> statusBits,
  async call(canister, method, bytes) {
    const ends = openCalls.begin();
    try {
      return await call(asPrincipal(canister), method, { raw: true, args: bytes });
    } catch (error) {
      throw translate(error as AzleCallError);
    } finally {
      ends();
    }
  },
  log: (text) => {
    console.log(text);
  },
  after: (seconds, run) => void setTimer(seconds, run),
};

function asPrincipal(id: PrincipalLike): Principal {
  return id instanceof Principal ? id : Principal.fromUint8Array(id.toUint8Array());
}
