/** Indices of what the instrumentation added to the module. */
export interface Additions {
  memory64: boolean;
  importedFunctions: number;
  /** By how much indices of the module's own functions move. */
  functionShift: number;
  host: { touchRead: number; touchWrite: number; grow: number; outOfBounds: number };
  /** `StackUse` of each function of the module as uploaded. */
  stackUse: Uint8Array;
  /** Helper functions for bulk operations; `init` by data segment. */
  fill: number;
  copy: number;
  init: ReadonlyMap<number, number>;
  globals: {
    counter: number;
    pages: number;
    reason: number;
    stack: number;
    indirectIndex: number;
    indirectTable: number;
    dropped: ReadonlyMap<number, number>;
  };
}
