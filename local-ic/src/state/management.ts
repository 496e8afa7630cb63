import type { UserError } from '../errors.js';
import type { CostSchedule } from '../wasm/index.js';
import type { Canister, Code } from './canister.js';
import type { Fees } from './fees.js';
import type { ChangeOrigin } from './history.js';
import type { Ingress, Request } from './messages.js';
import type { CanisterSettings } from './settings.js';
import type { Subnet } from './subnet.js';

/** A call of a method of the management canister, being executed in a round of `subnet`. */
export interface ManagementCall {
  readonly method: string;
  readonly sender: Uint8Array;
  readonly arg: Uint8Array;
  /** Cycles attached; 0n for ingress. */
  readonly cycles: bigint;
  /** The message itself; answer later through {@link ManagementContext.answer}. */
  readonly message: Ingress | Request;
}

/** What became of a management call. */
export type ManagementOutcome =
  | {
      readonly kind: 'reply';
      /** Candid bytes. */
      readonly data: Uint8Array;
      /** Cycles of `call.cycles` that were used; the rest is given back. */
      readonly cyclesUsed?: bigint;
      /** Instructions that the round is charged with. */
      readonly instructions?: number;
    }
  | {
      readonly kind: 'reject';
      readonly error: UserError;
      readonly cyclesUsed?: bigint;
      readonly instructions?: number;
    }
  /** Will be answered through {@link ManagementContext.answer}. */
  | { readonly kind: 'pending' };

/** How code is to be installed; `upgrade` options as in the management interface. */
export interface InstallRequest {
  readonly call: ManagementCall;
  readonly canister: Canister;
  readonly mode: 'install' | 'reinstall' | 'upgrade';
  readonly skipPreUpgrade: boolean;
  readonly wasmMemoryPersistence: 'keep' | 'replace' | undefined;
  /**
   * The module, or what puts it together from chunks: called after `assemblyInstructions` were
   * charged (in one charge with the installation), may throw UserError.
   */
  readonly moduleBytes: Uint8Array | (() => Uint8Array);
  /** Instructions for putting the module together. */
  readonly assemblyInstructions?: number;
  readonly arg: Uint8Array;
  readonly origin: ChangeOrigin;
}

/** A message for the management canister before it is accepted. */
export interface ManagementIngress {
  readonly method: string;
  readonly sender: Uint8Array;
  readonly arg: Uint8Array;
  readonly effectiveCanisterId: Uint8Array | undefined;
}

/**
 * What the management room exports to the engine.
 * - `executeManagementCall(context, call)`: one call; never throws for bad input, rejects instead.
 * - `executeManagementQuery(context, query)`: `fetch_canister_logs` and the like; returns Candid bytes, throws UserError.
 * - `checkManagementIngress(context, ingress)`: the ingress filter; throws UserError; returns the
 *   canister that pays for the message, undefined when nobody does (provisional methods) or when
 *   the call itself takes the fee (`update_settings`, which may unfreeze a canister).
 */
export interface ManagementRoom {
  executeManagementCall(context: ManagementContext, call: ManagementCall): ManagementOutcome;
  executeManagementQuery(context: ManagementContext, query: ManagementIngress): Uint8Array;
  checkManagementIngress(
    context: ManagementContext,
    ingress: ManagementIngress,
  ): Canister | undefined;
  /**
   * Where a canister's call of `aaaaa-aa` goes: to the caller's own subnet ('own'), or to that of a
   * canister or subnet with an id. Called when the call is sent. Throws DestinationError, whose
   * text and reject code answer the call at once.
   */
  resolveDestination(
    method: string,
    arg: Uint8Array,
    isRouted: (canisterId: Uint8Array) => boolean,
  ): ManagementDestination;
}

/** A subnet, by what it hosts. */
export type ManagementDestination =
  | { readonly kind: 'own' }
  | { readonly kind: 'canister'; readonly id: Uint8Array }
  | { readonly kind: 'subnet'; readonly id: Uint8Array };

/** What the management canister may do to its subnet. The engine provides it. */
export interface ManagementContext {
  readonly subnet: Subnet;
  readonly timeNs: bigint;
  readonly schedule: CostSchedule;
  readonly fees: Fees;
  /** Bytes that canisters of the subnet may still take. */
  readonly availableMemory: bigint;
  /** 32 fresh bytes, deterministic for the same history of calls. */
  randomBytes(): Uint8Array;
  /** Canister on this or any other subnet. */
  findCanister(id: Uint8Array): Canister | undefined;
  subnetOf(canisterId: Uint8Array): Subnet | undefined;
  /**
   * Makes a canister with the next free id (or `specifiedId`), history entry "creation" included.
   * Throws UserError (SubnetOversubscribed, CanisterIdAlreadyExists, …).
   */
  createCanister(options: {
    settings: CanisterSettings;
    cycles: bigint;
    origin: ChangeOrigin;
    specifiedId?: Uint8Array;
  }): Canister;
  /** Starts an installation, which may take several rounds; answers the call itself. Throws UserError. */
  installCode(request: InstallRequest): ManagementOutcome;
  /**
   * Compiles a module and makes its memories, empty; runs no code of it. `instructions` is what
   * compiling costs (less when the subnet knows the module). Throws UserError (CanisterInvalidWasm).
   */
  createCode(
    canister: Canister,
    moduleBytes: Uint8Array,
  ): { readonly code: Code; readonly instructions: number };
  /** Removes code, memories and certified data; rejects open call contexts; history entry included. */
  uninstallCode(canister: Canister, origin: ChangeOrigin): void;
  /** Removes the canister; what is left of its cycles is burned. */
  deleteCanister(canister: Canister): void;
  /** Answers a call that was left pending. */
  answer(
    message: Ingress | Request,
    outcome: Exclude<ManagementOutcome, { kind: 'pending' }>,
  ): void;
  /** Stops a canister now if it has no open call contexts, else once it has none; answers the call. */
  stopCanister(canister: Canister, call: ManagementCall): ManagementOutcome;
  /** Starts a canister; callers who wait for it to stop are rejected. */
  startCanister(canister: Canister): void;
  /** Takes cycles from a canister for `instructions` of management work. Throws UserError (CanisterOutOfCycles). */
  chargeInstructions(canister: Canister, instructions: number): void;
  /** Bytes the canister may grow by; throws UserError when memory or cycles do not allow it. */
  checkMemoryGrowth(canister: Canister, bytes: bigint): void;
}
