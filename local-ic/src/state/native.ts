/** A call of a canister that the embedded IC provides itself. */
export interface NativeCall {
  readonly caller: Uint8Array;
  readonly method: string;
  /** Candid bytes. */
  readonly arg: Uint8Array;
  /** Cycles attached; 0n in a query or a call from outside. */
  readonly cycles: bigint;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
}

/** What a native canister answers an update call. */
export interface NativeReply {
  /** Candid bytes. */
  readonly data: Uint8Array;
  /** Of the cycles attached, those that the canister keeps. */
  readonly accepted: bigint;
  /** Of the cycles attached, those that went elsewhere; the rest goes back. */
  readonly passedOn: bigint;
}

/**
 * A canister whose methods are part of the embedded IC, in place of a module. It answers within its
 * message and uses no instructions.
 */
export interface NativeCanister {
  /** Throws UserError. */
  query(call: NativeCall): Uint8Array;
  /** Throws UserError; then the state is as before. */
  update(call: NativeCall): NativeReply;
}
