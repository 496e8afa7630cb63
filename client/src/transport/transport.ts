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

/**
 * The way to an Internet Computer: all that this package needs of one. Canister ids are text, arguments
 * and replies raw bytes. Calls that are rejected throw `CallRejected`; anything else thrown means that
 * the IC was not reached.
 */
export interface Transport {
  /** Text of the principal that calls are made as. */
  principal(): Promise<string>;
  /** A query call, composite queries included. */
  query(canister: string, method: string, arg: Uint8Array): Promise<Uint8Array>;
  /** An update call; returns when it is answered. */
  update(canister: string, method: string, arg: Uint8Array): Promise<Uint8Array>;
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
