import type { TrapKind } from './types.js';

/** Why a module was refused, as the replica's error variants are grouped. */
export type WasmErrorCode =
  /** `Canister's Wasm module is not valid: …` */
  | 'invalid'
  /** `Could not instrument wasm module of canister: …` */
  | 'instrumentation'
  /** `Canister violated contract: …` */
  | 'contract'
  /** `Canister encountered a Wasm engine error: …` */
  | 'engine';

/** A module that the IC refuses. `message` is the replica's text after the prefix of its code. */
export class WasmError extends Error {
  override readonly name = 'WasmError';
  constructor(
    readonly code: WasmErrorCode,
    message: string,
    /** Advice that the replica appends on a line of its own, instead of its general one. */
    readonly hint?: string,
    /** `CanisterModule.codeInstructions`, if the module was compiled before the fault showed. */
    readonly codeInstructions?: number,
  ) {
    super(message);
  }
}

/** A host function was given an address outside of the heap. */
export class HeapOutOfBounds extends Error {
  override readonly name = 'HeapOutOfBounds';
  constructor(
    readonly address: bigint,
    readonly length: bigint,
    readonly heapBytes: bigint,
  ) {
    super(`address ${address} + length ${length} exceeds the heap of ${heapBytes} bytes`);
  }
}

/** Ends a run with a trap of the given kind; thrown through the WebAssembly frames. */
export class TrapSignal extends Error {
  override readonly name = 'TrapSignal';
  constructor(
    readonly kind: TrapKind,
    readonly instructions?: number,
  ) {
    super(kind);
  }
}
