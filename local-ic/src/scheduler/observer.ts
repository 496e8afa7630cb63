/** Pages of 64 KiB of the heap that a message accessed, and wrote. */
export interface TouchedPages {
  readonly readWasmPages: number;
  readonly writtenWasmPages: number;
}

/** A message that was executed, or the part of a long one that ran in this round. */
export interface ExecutedSlice {
  /** Round of the subnet, counted from its start. */
  readonly round: number;
  /** Iteration of the round, from 0. */
  readonly iteration: number;
  readonly canisterId: Uint8Array;
  /** Instructions of this slice. */
  readonly instructions: number;
  /** What the whole message did to memory; undefined while it goes on in a later round. */
  readonly finished:
    | {
        /** Bytes of changed heap and stable memory. */
        readonly heapDelta: number;
        readonly touched: TouchedPages | undefined;
      }
    | undefined;
}

/** Is told of everything that canisters execute, in order; must not change anything. */
export type ExecutionObserver = (slice: ExecutedSlice) => void;
