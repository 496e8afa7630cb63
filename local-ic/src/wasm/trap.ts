import { TrapSignal } from './errors.js';
import type { Frame, Trap, TrapKind } from './types.js';

/** The engine's messages of `WebAssembly.RuntimeError`, as V8 words them. */
const kinds: readonly (readonly [pattern: RegExp, kind: TrapKind])[] = [
  [/^unreachable/, 'unreachable'],
  [/memory access out of bounds|offset is out of bounds/, 'heap out of bounds'],
  [/table index is out of bounds|table access out of bounds/, 'table out of bounds'],
  [/divide by zero|remainder by zero/, 'integer division by 0'],
  [/divide result unrepresentable/, 'integer overflow'],
  [/float unrepresentable in integer range/, 'bad conversion to integer'],
  [/null function or function signature mismatch|signature mismatch/, 'signature mismatch'],
];

/** What the host knows of an instance when it stopped. */
export interface TrapContext {
  /** Whether the counter of instructions was exhausted. */
  limitReached: () => boolean;
  /** Whether the stack that the replica has was. */
  stackExhausted: () => boolean;
  /** Whether the last `call_indirect` named an empty slot. */
  nullCallee: () => boolean;
  /** The function of the uploaded module that an instrumented index stands for. */
  frame: (index: number) => Frame | undefined;
}

/** Tells from what was thrown through WebAssembly why it stopped. */
export function trapOf(thrown: unknown, context: TrapContext): Trap {
  const backtrace = backtraceOf(thrown, context);
  if (thrown instanceof TrapSignal) {
    const trap: Trap = { kind: thrown.kind, backtrace };
    if (thrown.instructions !== undefined) trap.instructions = thrown.instructions;
    return trap;
  }
  if (thrown instanceof WebAssembly.RuntimeError) {
    const kind = kinds.find(([pattern]) => pattern.test(thrown.message))?.[1];
    if (kind === 'unreachable' && context.limitReached()) {
      return { kind: 'instruction limit', backtrace };
    }
    if (kind === 'unreachable' && context.stackExhausted()) {
      return { kind: 'stack overflow', backtrace };
    }
    if (kind === 'signature mismatch' && context.nullCallee()) {
      return { kind: 'null function', backtrace };
    }
    if (kind) return { kind, backtrace };
  }
  if (thrown instanceof RangeError && thrown.message.includes('call stack')) {
    return { kind: 'stack overflow', backtrace };
  }
  return { kind: 'host', error: thrown, backtrace };
}

function backtraceOf(thrown: unknown, context: TrapContext): Frame[] {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  if (!stack) return [];
  const frames: Frame[] = [];
  for (const match of stack.matchAll(/wasm-function\[(\d+)\]/g)) {
    const frame = context.frame(Number(match[1]));
    if (frame) frames.push(frame);
  }
  return frames;
}

/** How many functions the replica's own instrumentation puts before those of the module. */
const REPLICA_ADDED_IMPORTS = 5;

/** A function as the replica lists it under "Canister Backtrace:". */
export function describeFrame({ index, name }: Frame): string {
  return name ?? `unknown function at index ${index + REPLICA_ADDED_IMPORTS}`;
}
