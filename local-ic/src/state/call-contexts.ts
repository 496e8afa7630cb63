import { idKey } from '../principal.js';

/** Who waits for a call context's response. */
export type CallOrigin =
  | {
      readonly kind: 'ingress';
      readonly sender: Uint8Array;
      readonly messageKey: string;
      readonly method: string;
    }
  | {
      readonly kind: 'canister';
      readonly sender: Uint8Array;
      readonly callbackId: number;
      readonly deadline: bigint;
      readonly method: string;
    }
  | { readonly kind: 'query'; readonly sender: Uint8Array; readonly method: string }
  | { readonly kind: 'systemTask' };

/** One call being processed by a canister, over all the messages it takes. */
export interface CallContext {
  /** 0 until the context is opened. */
  id: number;
  readonly origin: CallOrigin;
  responded: boolean;
  /** Set by uninstall: its callbacks do nothing any more. */
  deleted: boolean;
  /** Cycles of the caller not yet accepted. */
  availableCycles: bigint;
  /** When it began, nanoseconds. */
  readonly time: bigint;
  /** Instructions of all its messages so far (`performance_counter(1)`). */
  instructions: number;
  /** Calls under way that belong to it. */
  outstandingCalls: number;
}

/** A call context that is not open yet. */
export function newCallContext(
  origin: CallOrigin,
  availableCycles: bigint,
  time: bigint,
): CallContext {
  return {
    id: 0,
    origin,
    responded: false,
    deleted: false,
    availableCycles,
    time,
    instructions: 0,
    outstandingCalls: 0,
  };
}

/** A function of the canister's table with its environment. */
export interface Closure {
  readonly fun: number;
  readonly env: number | bigint;
}

/** What a canister keeps for a call it has made, until the response was processed. */
export interface Callback {
  readonly id: number;
  readonly callContextId: number;
  readonly originator: Uint8Array;
  readonly respondent: Uint8Array;
  readonly cyclesSent: bigint;
  /** Cycles set aside for executing the response, and for the bytes of the largest one. */
  readonly prepaidExecution: bigint;
  readonly prepaidTransmission: bigint;
  readonly onReply: Closure;
  readonly onReject: Closure;
  onCleanup: Closure | undefined;
  readonly deadline: bigint;
  /** Its response waits in the input queue; another one is dropped. */
  responded: boolean;
}

/** The open call contexts and callbacks of one canister. */
export class CallContexts {
  private readonly contexts = new Map<number, CallContext>();
  private readonly callbacks = new Map<number, Callback>();
  private nextContext = 1;
  private nextCallback = 1;

  /** Registers a new call context and gives it its id. */
  open(context: CallContext): void {
    context.id = this.nextContext++;
    this.contexts.set(context.id, context);
  }

  get(id: number): CallContext | undefined {
    return this.contexts.get(id);
  }

  /** Forgets a context once it is answered and has no calls under way. */
  closeIfDone(context: CallContext): void {
    if (context.outstandingCalls === 0 && (context.responded || context.deleted)) {
      this.contexts.delete(context.id);
    }
  }

  close(id: number): void {
    this.contexts.delete(id);
  }

  /** Registers a callback and counts its call as under way. */
  register(make: (id: number) => Callback): Callback {
    const callback = make(this.nextCallback++);
    this.callbacks.set(callback.id, callback);
    const context = this.contexts.get(callback.callContextId);
    if (context) context.outstandingCalls++;
    return callback;
  }

  /** The id that the next registered callback gets. */
  peekCallbackId(): number {
    return this.nextCallback;
  }

  callback(id: number): Callback | undefined {
    return this.callbacks.get(id);
  }

  /** Takes a callback out; its call no longer counts as under way. */
  unregister(id: number): Callback | undefined {
    const callback = this.callbacks.get(id);
    if (!callback) return undefined;
    this.callbacks.delete(id);
    const context = this.contexts.get(callback.callContextId);
    if (context) context.outstandingCalls--;
    return callback;
  }

  all(): Iterable<CallContext> {
    return this.contexts.values();
  }

  allCallbacks(): Iterable<Callback> {
    return this.callbacks.values();
  }

  get openContexts(): number {
    return this.contexts.size;
  }

  get openCallbacks(): number {
    return this.callbacks.size;
  }

  /** Calls under way with a guaranteed response to or from one canister are told apart by key. */
  callbacksTo(respondent: Uint8Array): number {
    const key = idKey(respondent);
    let count = 0;
    for (const callback of this.callbacks.values()) if (idKey(callback.respondent) === key) count++;
    return count;
  }
}
