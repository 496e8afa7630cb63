import {
  Principal,
  call,
  canisterCycleBalance,
  canisterSelf,
  canisterVersion,
  clearTimer,
  dataCertificate,
  isController,
  msgCaller,
  performanceCounter,
  randSeed,
  setTimerInterval,
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

/** The reply of `raw_rand` ends with so many random bytes. */
const seedBytes = 32;
/** Bytes of a page of memory. */
const pageBytes = 65_536;
/** `()` in Candid. */
const noArgument = Uint8Array.of(0x44, 0x49, 0x44, 0x4c, 0, 0);

async function counted(canister: Principal, method: string, args: Uint8Array): Promise<Uint8Array> {
  const ends = openCalls.begin();
  try {
    return await call(canister, method, { raw: true, args });
  } catch (error) {
    throw translate(error as AzleCallError);
  } finally {
    ends();
  }
}

/** azle's side of {@link Ic}. */
export const azleIc: Ic = {
  caller: () => msgCaller(),
  self: () => canisterSelf(),
  principal: (bytes) => Principal.fromUint8Array(bytes),
  isController: (principal) => isController(asPrincipal(principal)),
  now: () => time(),
  version: () => canisterVersion() >> statusBits,
  call: (canister, method, bytes) => counted(asPrincipal(canister), method, bytes),
  async seed() {
    const reply = await counted(Principal.managementCanister(), 'raw_rand', noArgument);
    randSeed(reply.slice(-seedBytes));
  },
  callItself(method) {
    void call(canisterSelf(), method, { raw: true, args: new Uint8Array(), oneway: true });
  },
  cycles() {
    const both = canisterCycleBalance();
    return { balance: BigInt.asUintN(64, both), liquid: both >> 64n };
  },
  memoryBytes: () => Number(performanceCounter(0)) * pageBytes,
  certificate: () => dataCertificate(),
  random: (count) => crypto.getRandomValues(new Uint8Array(count)),
  log: (text) => {
    console.log(text);
  },
  every(seconds, run) {
    const timer = setTimerInterval(seconds, run);
    return () => {
      clearTimer(timer);
    };
  },
};

function asPrincipal(id: PrincipalLike): Principal {
  return id instanceof Principal ? id : Principal.fromUint8Array(id.toUint8Array());
}
