/** A canister or user id, as every Candid library has it. */
export interface PrincipalLike {
  toUint8Array(): Uint8Array;
  toText(): string;
}

export function samePrincipal(one: PrincipalLike, other: PrincipalLike): boolean {
  const left = one.toUint8Array();
  const right = other.toUint8Array();
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

export interface CyclesHeld {
  balance: bigint;
  /** Of the balance, what is above the freezing threshold. */
  liquid: bigint;
}

/** What the coordinator asks of the Internet Computer; tests put their own in its place. */
export interface Ic {
  /** Who sent the message under way; only valid before the first await. */
  caller(): PrincipalLike;
  /** The coordinator itself. */
  self(): PrincipalLike;
  /** A principal of its bytes. */
  principal(bytes: Uint8Array): PrincipalLike;
  isController(principal: PrincipalLike): boolean;
  /** Nanoseconds since 1970. */
  now(): bigint;
  /** Grows with every message, also where a snapshot is loaded or the canister is installed anew. */
  version(): bigint;
  /** Calls a canister with raw bytes. Throws {@link CallFailure} when the call is rejected. */
  call(canister: PrincipalLike, method: string, bytes: Uint8Array): Promise<Uint8Array>;
  /** Calls one of the coordinator's own methods, without arguments and without waiting for it. */
  callItself(method: string): void;
  /** Takes a seed for {@link random} that nobody knows. A call. */
  seed(): Promise<void>;
  /** So many bytes that nobody can guess, once there was a {@link seed}. */
  random(count: number): Uint8Array;
  /** Cycles that the canister holds, and how many of them it may spend before it is frozen. */
  cycles(): CyclesHeld;
  /** Bytes of memory that are paid for. */
  memoryBytes(): number;
  /** What certifies the canister's certified data; undefined where the message is no query. */
  certificate(): Uint8Array | undefined;
  /** Writes into the canister's log, which controllers read. */
  log(text: string): void;
  /** Runs something every so many seconds, until what this gives is called. */
  every(seconds: number, run: () => void): () => void;
}

/** A call that came to nothing. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  constructor(
    /** The replica's reject code 1 to 6; 0 where the call could not be sent. */
    readonly rejectCode: number,
    message: string,
  ) {
    super(message);
  }
}

/** The message is only there to clean up after a trap: it can neither reply nor reject. */
export class CleanupOnly extends Error {
  override readonly name = 'CleanupOnly';
}
