/** How code is installed: `reinstall` clears what the canister held, `upgrade` keeps its stable memory. */
export type InstallMode = 'install' | 'reinstall' | 'upgrade';

export interface CreateOptions {
  /** Cycles the canister starts with. */
  cycles: bigint;
  /** Text of the principals that may manage it, besides the caller. */
  controllers?: readonly string[];
}

export interface InstallOptions {
  canister: string;
  /** The module, gzipped or not. */
  module: Uint8Array;
  mode: InstallMode;
  /** Argument of the canister's init or post-upgrade function. */
  arg?: Uint8Array;
}

/** How a call is made. */
export interface CallOptions {
  /** Nobody waits for the answer any more once it is aborted: the transport may stop asking for it. */
  signal?: AbortSignal;
}

/**
 * The way to an Internet Computer: all that this package needs of one. Canister ids are text, arguments
 * and replies raw bytes. Calls that are rejected throw `CallRejected`. Anything else thrown is passed on,
 * and is taken for a fault on the way, after which a call is repeated, only where it is known to be one:
 * throw `UnreachableError` for those of your own.
 */
export interface Transport {
  /** Text of the principal that calls are made as. */
  principal(): Promise<string>;
  /**
   * Whether the network is one's own, on which anybody may be anonymous. Where it is left out, it counts as
   * one that is not.
   */
  isLocal?(): Promise<boolean>;
  /** A query call, composite queries included. */
  query(
    canister: string,
    method: string,
    arg: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** An update call; returns when it is answered. */
  update(
    canister: string,
    method: string,
    arg: Uint8Array,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /**
   * An update call whose answer need not be proven, because a later call will fail where it was not
   * carried out: nothing is checked that takes longer than to send it. Left out where there is no
   * faster way than `update`.
   */
  updateUnproven?(
    canister: string,
    method: string,
    arg: Uint8Array,
    options?: CallOptions,
  ): Promise<void>;
  /** Creates an empty canister managed by the caller; gives its id. */
  createCanister(options: CreateOptions): Promise<string>;
  /**
   * Lets an Internet Computer go on for about so long: waits, or, where rounds are executed only when
   * asked for, executes some.
   */
  wait(milliseconds: number): Promise<void>;
  /**
   * Calls a method of the management canister that is about one canister; left out where the way to the
   * IC has none. Gives the reply.
   */
  manage?(method: string, arg: Uint8Array, canister: string): Promise<Uint8Array>;
  /** Hex of the public key that the IC signs with; left out where it is not known. */
  rootKey?(): string | undefined;
  /** Installs code, through the chunk store where the module does not fit a message. */
  installCode(options: InstallOptions): Promise<void>;
}
