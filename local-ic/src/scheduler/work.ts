import type { Canister, Code, LongExecution, StableChanges } from '../state/index.js';
import type { ExecutionResult } from '../system-api/index.js';
import type { PendingChanges } from '../wasm/index.js';
import type { TouchedPages } from './observer.js';

/** What the end of a message or task means for the scheduler. */
export interface Finished {
  /** Instructions of the whole message; 0 when it did not run. */
  readonly instructions: number;
  /** Bytes of changed heap and stable memory. */
  readonly heapDelta: number;
  /** Set when it did not run because the canister cannot pay for it. */
  readonly skipped?: true;
  /** Undefined when it did not run. */
  readonly touched?: TouchedPages;
}

/**
 * A message whose code has run to its end, seen as the replica sees it: slice by slice. Its effects
 * come with {@link Work.finish}, after the last slice.
 */
export interface Work {
  /** Instructions of each slice. */
  readonly slices: readonly number[];
  /** Applies effects and answer; pending changes of memory become permanent. */
  finish(): Finished;
  /** Starts the message again from its beginning (after an abort). */
  restart(): Work | Finished;
}

/** Splits the instructions of one run into slices. */
export function slicesOf(result: ExecutionResult, slice: number): number[] {
  const { instructions, execution, copying } = result;
  const slices: number[] = [];
  const { lastSliceStart = instructions } = execution;
  let done = 0;
  while (instructions - done > slice && done < lastSliceStart) {
    slices.push(slice);
    done += slice;
  }
  slices.push(instructions - done);
  if (copying > 0) slices.push(copying);
  return slices;
}

/** A message between two of its slices: its memory changes are taken out of the canister. */
export class PausedWork implements LongExecution {
  readonly kind = 'message';
  private next = 0;
  private heap: PendingChanges | undefined;
  private stable: StableChanges | undefined;
  private aborted = false;

  constructor(
    private readonly canister: Canister,
    private readonly code: Code,
    private work: Work,
  ) {
    this.detach();
  }

  get state(): 'paused' | 'aborted' {
    return this.aborted ? 'aborted' : 'paused';
  }

  /**
   * Executes the next slice. Returns its instructions and, when it was the last, what the message
   * came to.
   */
  resume(): { instructions: number; finished?: Finished } {
    if (this.aborted) {
      const work = this.work.restart();
      this.aborted = false;
      if (!('slices' in work)) {
        this.canister.paused = undefined;
        return { instructions: 0, finished: work };
      }
      this.work = work;
      this.next = 0;
      this.detach();
    }
    const instructions = this.work.slices[this.next++]!;
    if (this.next < this.work.slices.length) return { instructions };
    this.attach();
    this.canister.paused = undefined;
    return { instructions, finished: this.work.finish() };
  }

  /** Throws the progress away; the message starts again in a later round. */
  abort(): void {
    this.aborted = true;
    this.heap = undefined;
    this.stable = undefined;
  }

  private detach(): void {
    this.heap = this.code.instance.detach();
    this.stable = this.code.stable.detach();
  }

  private attach(): void {
    this.code.instance.attach(this.heap!);
    this.code.stable.attach(this.stable!);
  }
}
