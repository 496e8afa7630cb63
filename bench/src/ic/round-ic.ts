import type { Transport } from '@canopy/client';
import type { Observation } from '../measure/observation.js';

/** What became of an update call. */
export type Answer =
  { kind: 'reply'; reply: Uint8Array } | { kind: 'reject'; code: number; message: string };

export interface CanisterMemory {
  heapBytes: number;
  stableBytes: number;
}

/** An update call that was sent. */
export interface PendingCall<T = Answer> {
  /** Undefined until it is answered. */
  poll(): Promise<T | undefined>;
}

/** An Internet Computer whose rounds the benchmark drives itself. Canisters and principals are text. */
export interface RoundIc {
  /** Rounds executed so far. */
  readonly round: number;
  /** Executes one round. */
  tick(): Promise<void>;
  /** Sends an update call; it enters in the next round. */
  submit(sender: string, canister: string, method: string, arg: Uint8Array): Promise<PendingCall>;
  /** A query call; takes no round. */
  query(sender: string, canister: string, method: string, arg: Uint8Array): Promise<Uint8Array>;
  /** For what is not measured: an update call executes rounds until it is answered. */
  transport(sender: string): Transport;
  /** To be called before a measurement: executes what is left, and evens out priorities. */
  rest(): Promise<void>;
  cyclesBalance(canister: string): Promise<bigint>;
  memory(canister: string): Promise<CanisterMemory>;
  /** From now on tells this observation of what runs; the one before hears no more. */
  observe(observation: Observation): void;
}
