import { memoryUsage, messageMemoryUsage, WASM_PAGE, type Canister } from '../state/index.js';
import {
  insufficientCyclesInMemoryGrow,
  outOfMemory,
  reservedCyclesLimitExceeded,
  wasmMemoryLimitExceeded,
} from './hypervisor-error.js';
import type { Mode } from './modes.js';

/** Memory of a subnet that canisters may still take, as one execution thread sees it. */
export interface SubnetMemory {
  /** Bytes. */
  available: bigint;
  /** Cycles to reserve for growing by `bytes` (0n while the subnet is far from full). */
  reservation(bytes: bigint, alreadyAllocated: bigint): bigint;
}

const LIMITED: ReadonlySet<Mode> = new Set<Mode>(['init', 'start', 'update']);
const THRESHOLD_CHECKED: ReadonlySet<Mode> = new Set<Mode>([
  'update',
  'heartbeat',
  'global timer',
  'on low Wasm memory',
]);
const COUNTED: ReadonlySet<Mode> = new Set<Mode>([
  'update',
  'heartbeat',
  'global timer',
  'on low Wasm memory',
  'reply callback',
  'reject callback',
  'cleanup',
]);

/** The message that grows memory, and what it has to pay with. */
export interface GrowingMessage {
  readonly mode: Mode;
  readonly canister: Canister;
  /** Cycles as the message sees them. */
  balance: bigint;
  reservedCycles: bigint;
  /** Whether the caller may learn how many cycles are missing. */
  readonly callerIsController: boolean;
  /** Cycles that must stay in the balance where so much memory is used. */
  freezingThreshold(memoryBytes: number): bigint;
}

/** Memory of a canister as a message grows it. */
export class MemoryUsage {
  private used: number | undefined;
  private messages: number | undefined;
  /** Growth beyond the memory allocation. */
  allocated = 0n;
  private wasmBytes: number;
  /** Whether the heap came close to its limit; undefined when no memory was grown. */
  lowWasmMemory: boolean | undefined;

  constructor(
    private readonly execution: GrowingMessage,
    private readonly subnet: SubnetMemory,
  ) {
    const code = execution.canister.code;
    this.wasmBytes = code ? code.instance.memoryPages() * WASM_PAGE : 0;
  }

  /** Bytes used, growth of the message included. */
  get current(): number {
    return (this.used ??= memoryUsage(this.execution.canister));
  }

  /** Bytes of messages that wait, and of responses that must have room. */
  get messageBytes(): number {
    return (this.messages ??= messageMemoryUsage(this.execution.canister));
  }

  /** Counts a guaranteed response that the message will wait for. */
  addMessageBytes(bytes: number): void {
    this.messages = this.messageBytes + bytes;
  }

  /** Throws the error that a message ends with whose heap grows beyond the canister's own limit. */
  checkHeapLimit(pages: number): void {
    const newBytes = pages * WASM_PAGE;
    const limit = this.execution.canister.settings.wasmMemoryLimit;
    if (LIMITED.has(this.execution.mode) && limit !== 0n && BigInt(newBytes) > limit) {
      throw wasmMemoryLimitExceeded(newBytes, limit);
    }
  }

  /** Takes the memory for a larger heap, or throws the error that the message ends with. */
  growHeap(additionalPages: number): void {
    if (!this.allocate(additionalPages * WASM_PAGE)) throw outOfMemory();
    this.wasmBytes += additionalPages * WASM_PAGE;
    this.checkLowMemory();
  }

  /** Whether stable memory may grow. Throws when it is cycles that are missing. */
  growStable(additionalPages: number): boolean {
    if (!this.allocate(additionalPages * WASM_PAGE)) return false;
    this.checkLowMemory();
    return true;
  }

  private checkLowMemory(): void {
    const { wasmMemoryLimit, wasmMemoryThreshold } = this.execution.canister.settings;
    this.lowWasmMemory = isWasmMemoryLow(this.wasmBytes, wasmMemoryLimit, wasmMemoryThreshold);
  }

  private allocate(bytes: number): boolean {
    const { execution } = this;
    const { memoryAllocation } = execution.canister.settings;
    if (memoryAllocation > 0n && BigInt(this.current + bytes) > memoryAllocation) return false;
    const allocatedBytes = (used: number): bigint =>
      BigInt(used) > memoryAllocation ? BigInt(used) : memoryAllocation;
    const before = allocatedBytes(this.current);
    const after = allocatedBytes(this.current + bytes);
    const growth = after - before;
    if (growth > 0n && THRESHOLD_CHECKED.has(execution.mode)) {
      const threshold = execution.freezingThreshold(Number(after));
      if (execution.balance < threshold) {
        const missing = execution.callerIsController ? threshold - execution.balance : undefined;
        throw insufficientCyclesInMemoryGrow(growth, missing);
      }
    }
    if (COUNTED.has(execution.mode)) {
      if (growth > this.subnet.available - this.allocated) return false;
      this.reserve(growth);
    }
    this.used = this.current + bytes;
    this.allocated += growth;
    return true;
  }

  private reserve(growth: bigint): void {
    const { execution } = this;
    const { canister } = execution;
    const cycles = this.subnet.reservation(growth, this.allocated);
    if (cycles === 0n) return;
    const reserved = canister.reservedBalance + execution.reservedCycles + cycles;
    const limit = canister.settings.reservedCyclesLimit;
    if (reserved > limit) throw reservedCyclesLimitExceeded(growth, reserved, limit);
    if (execution.balance < cycles) {
      const missing = execution.callerIsController ? cycles - execution.balance : undefined;
      throw insufficientCyclesInMemoryGrow(growth, missing);
    }
    execution.balance -= cycles;
    execution.reservedCycles += cycles;
  }
}

const WASM32_BYTES = 4_294_967_296n;

/** Condition of `canister_on_low_wasm_memory`. */
export function isWasmMemoryLow(usedBytes: number, limit: bigint, threshold: bigint): boolean {
  const effective = limit === 0n ? WASM32_BYTES : limit;
  return effective < BigInt(usedBytes) + threshold;
}
