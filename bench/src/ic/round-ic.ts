import type { Transport } from '@canopy/client';
import type { Observation } from '../measure/observation.js';
import type { IcAbout, Memory, Unit } from '../results/schema.js';

/** What became of an update call. */
export type Answer =
  { kind: 'reply'; reply: Uint8Array } | { kind: 'reject'; code: number; message: string };

/** An update call that was sent. */
export interface PendingCall<T = Answer> {
  /**
   * Undefined until it is answered. Where rounds are driven, tells at once; else it may wait until
   * something becomes of the call.
   */
  poll(): Promise<T | undefined>;
}

/** What the benchmark needs of every Internet Computer. Canisters and principals are text. */
export interface BenchIc {
  readonly about: IcAbout;
  readonly unit: Unit;
  /** Sends an update call. */
  submit(sender: string, canister: string, method: string, arg: Uint8Array): Promise<PendingCall>;
  /** A query call; takes no round. */
  query(sender: string, canister: string, method: string, arg: Uint8Array): Promise<Uint8Array>;
  /** For what is not measured: an update call returns when it is answered. */
  transport(sender: string): Transport;
  /** To be called before a measurement: what earlier calls left to do is done. */
  rest(): Promise<void>;
  /** To be called after one: calls under way end, and the cycles set aside for them come back. */
  settle(): Promise<void>;
  /** Null where the IC does not tell. */
  cyclesBalance(canister: string): Promise<bigint | null>;
  /** Null where the IC does not tell. */
  memory(canister: string): Promise<Memory | null>;
  /** To be called last: gives back what was taken. */
  close(): Promise<void>;
}

/** An Internet Computer whose rounds the benchmark drives itself: a call enters in the next round. */
export interface RoundIc extends BenchIc {
  readonly unit: 'round';
  /** Rounds executed so far. */
  readonly round: number;
  /** Executes one round; it takes a second of the IC's time. */
  tick(): Promise<void>;
  /** From now on tells this observation of what runs; the one before hears no more. */
  observe?(observation: Observation): void;
}

/** An Internet Computer that runs by itself, measured with the clock. */
export interface LiveIc extends BenchIc {
  readonly unit: 'second';
}

const hourNs = 3_600_000_000_000n;

/**
 * The time at which a run begins. Calls of one round are executed in the order of their ids, which
 * depend on the time, and memory is paid for each ten seconds: so a run does not depend on how many
 * rounds went before it.
 */
export function nextFullHour(timeNs: bigint): bigint {
  return (timeNs / hourNs + 1n) * hourNs;
}

export function isRoundIc(ic: BenchIc): ic is RoundIc {
  return ic.unit === 'round';
}
