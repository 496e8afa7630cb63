import type { CallContext, Canister, Closure, Fees, Request } from '../state/index.js';
import { CanisterLog, freezingThreshold } from '../state/index.js';
import type { HypervisorError } from './hypervisor-error.js';
import { MemoryUsage, type SubnetMemory } from './memory-usage.js';
import { NON_REPLICATED, TRACKS_WRITES, type Mode } from './modes.js';

/** A call being put together between `call_new` and `call_perform`. */
export interface CallInPreparation {
  readonly callee: Uint8Array;
  readonly method: string;
  readonly methodBytes: number;
  readonly onReply: Closure;
  readonly onReject: Closure;
  onCleanup: Closure | undefined;
  readonly payload: Uint8Array[];
  payloadBytes: number;
  cycles: bigint;
  timeoutSeconds: number | undefined;
}

/** A call that was performed; it is sent when the message ends well. */
export interface OutgoingCall {
  readonly request: Omit<Request, 'callbackId'>;
  readonly onReply: Closure;
  readonly onReject: Closure;
  readonly onCleanup: Closure | undefined;
  readonly prepaidExecution: bigint;
  readonly prepaidTransmission: bigint;
  /** What sending the request costs. */
  readonly fee: bigint;
}

/** An answer given in the message. */
export type Answer =
  | { readonly kind: 'reply'; readonly data: Uint8Array }
  | { readonly kind: 'reject'; readonly message: string };

/** Everything a run needs to know besides the canister. */
export interface ExecutionInput {
  readonly mode: Mode;
  readonly canister: Canister;
  readonly fees: Fees;
  readonly timeNs: bigint;
  readonly caller?: Uint8Array;
  /** Message argument or reply. */
  readonly arg?: Uint8Array;
  /** Method that is being inspected. */
  readonly methodName?: string;
  readonly rejectCode?: number;
  readonly rejectMessage?: string;
  readonly callContext?: CallContext;
  /** Cycles given back with the response. */
  readonly refundedCycles?: bigint;
  readonly memory64?: boolean;
  /** Instructions of earlier messages of the call context. */
  readonly instructionsBefore?: number;
  /** Instruction limit of this run. */
  readonly instructionLimit: number;
  /** Instructions of one of its slices; as much as the limit where nothing is sliced. */
  readonly slice: number;
  /** Makes the certificate of the canister's certified data, for queries that ask for it. */
  readonly dataCertificate?: (() => Uint8Array | undefined) | undefined;
  readonly subnetId: Uint8Array;
  readonly rootKey: Uint8Array;
  /** Whether a subnet of the network holds threshold keys. */
  readonly hasThresholdKeys: boolean;
  readonly subnetMemory: SubnetMemory;
  /** Largest payload of a reply or reject. */
  readonly maxReplyBytes: number;
}

/**
 * One run of canister code: what it may see, and the effects it asks for. Effects are applied to the
 * canister only when the message ends.
 */
export class Execution {
  readonly mode: Mode;
  readonly canister: Canister;
  readonly replicated: boolean;
  /** Changed pages are noticed and paid for: not where all changes are dropped at the end. */
  readonly tracksWrites: boolean;
  /** Cycles as the message sees them. */
  balance: bigint;
  reservedCycles = 0n;
  availableCycles: bigint;
  acceptedCycles = 0n;
  burnedCycles = 0n;
  call: CallInPreparation | undefined;
  readonly calls: OutgoingCall[] = [];
  private readonly slotsUsed = new Map<string, number>();
  answered: 'not yet' | 'before' | 'now';
  answer: Answer | undefined;
  readonly replyChunks: Uint8Array[] = [];
  replyBytes = 0;
  /** `accept_message` was called. */
  accepted = false;
  certifiedData: Uint8Array | undefined;
  /** Nanoseconds; 0n is off; undefined is unchanged. */
  newGlobalTimer: bigint | undefined;
  /** What the message prints. */
  readonly log: CanisterLog;
  readonly memory: MemoryUsage;
  /** 4 KiB pages of stable memory that the message touched. */
  stableAccessedPages = 0;
  /** Where the slice began that ended with an operation too large for a slice, in instructions. */
  lastSliceStart: number | undefined;
  readonly initialBalance: bigint;
  private certificate: Uint8Array | undefined;

  constructor(readonly input: ExecutionInput) {
    this.mode = input.mode;
    this.canister = input.canister;
    this.replicated = !NON_REPLICATED.has(input.mode);
    this.tracksWrites = TRACKS_WRITES.has(input.mode);
    this.balance = input.canister.balance;
    this.initialBalance = this.balance;
    this.availableCycles = input.callContext?.availableCycles ?? 0n;
    this.answered = input.callContext?.responded === true ? 'before' : 'not yet';
    this.log = new CanisterLog(input.canister.log.nextIdx, input.canister.log.maxBytes);
    this.memory = new MemoryUsage(this, input.subnetMemory);
  }

  /** Cycles that must stay in the balance. */
  freezingThreshold(memoryBytes = this.memory.current): bigint {
    const reserved = this.canister.reservedBalance + this.reservedCycles;
    return freezingThreshold(
      this.input.fees,
      this.canister,
      memoryBytes,
      this.memory.messageBytes,
      reserved,
    );
  }

  /** Change of the balance so far: positive when the canister gained cycles. */
  get balanceChange(): bigint {
    return this.balance - this.initialBalance;
  }

  /** The certificate of the canister's certified data; undefined where there is none. */
  get dataCertificate(): Uint8Array | undefined {
    return (this.certificate ??= this.input.dataCertificate?.());
  }

  /** Drops a call under construction and gives its cycles back. */
  dropCall(): void {
    if (!this.call) return;
    this.balance += this.call.cycles;
    this.call = undefined;
  }

  /** Requests that this message may still queue for a receiver. */
  slotsLeft(receiverKey: string, receiver: Uint8Array): number {
    return this.canister.queues.outputSlots(receiver) - (this.slotsUsed.get(receiverKey) ?? 0);
  }

  useSlot(receiverKey: string): void {
    this.slotsUsed.set(receiverKey, (this.slotsUsed.get(receiverKey) ?? 0) + 1);
  }

  /** Whether the caller may learn how many cycles are missing. */
  get callerIsController(): boolean {
    return this.input.caller !== undefined && this.canister.isController(this.input.caller);
  }
}

/** What a run of canister code came to. */
export interface ExecutionResult {
  readonly execution: Execution;
  readonly error: HypervisorError | undefined;
  /** Instructions used, charge for changed pages included. */
  readonly instructions: number;
  /** Bytes of changed heap and stable memory. */
  readonly heapDelta: number;
  /** Instructions of copying very many changed pages, which take time but cost no cycles. */
  readonly copying: number;
}
