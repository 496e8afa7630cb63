import type { Code } from '../state/index.js';
import { fixedCost } from './costs.js';
import type { Execution } from './execution.js';
import { toolchainViolation, wrongMode } from './hypervisor-error.js';
import type { Mode } from './modes.js';

/** An address or length: a bigint only where a 64-bit memory gives one beyond 2^53. */
export type Address = number | bigint;

/** What the functions of one canister work with. */
export interface ApiContext {
  readonly code: Code;
  /** The run under way. */
  execution: Execution;
  /** Chargeable units: see `CanisterInstance.charge`. */
  charge(instructions: Address): void;
}

/**
 * Types of parameters and results: `I` is an address (i32 or i64, unsigned), `i` an unsigned i32,
 * `l` an i64 as unsigned bigint.
 */
export type ApiType = 'I' | 'i' | 'l';

/** One `ic0` function. */
export interface ApiFunction {
  readonly params: readonly ApiType[];
  readonly result?: ApiType;
  readonly allowed: ReadonlySet<Mode>;
  /** Name in error texts, where it is not `ic0_NAME`. */
  readonly errorName?: string;
  /** Instructions besides the fixed cost, from the arguments. */
  readonly bytes?: (context: ApiContext, ...args: never[]) => Address;
  /** Gives a number or bigint where there is a `result`, else nothing. */
  readonly run: (context: ApiContext, ...args: never[]) => unknown;
  /** Fixed cost, where it is not the table's. */
  readonly cost?: number;
}

/** The functions of a group by name. */
export type ApiGroup = Readonly<Record<string, ApiFunction>>;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function fromWasm(value: number | bigint, type: ApiType): Address {
  if (typeof value === 'number') return value >>> 0;
  const unsigned = BigInt.asUintN(64, value);
  return type === 'l' || unsigned > MAX_SAFE ? unsigned : Number(unsigned);
}

/** The function as a WebAssembly import: converts, charges, checks the mode, runs. */
export function bind(
  name: string,
  api: ApiFunction,
  context: ApiContext,
  memory64: boolean,
): (...args: never[]) => number | bigint | undefined {
  const cost = api.cost ?? fixedCost(name);
  const { params, allowed, result, bytes } = api;
  const run = api.run as (context: ApiContext, ...args: Address[]) => number | bigint | undefined;
  const extra = bytes as ((context: ApiContext, ...args: Address[]) => Address) | undefined;
  const errorName = api.errorName ?? `ic0_${name}`;
  const bigResult = result === 'I' && memory64;
  return (...raw: (number | bigint)[]) => {
    for (let index = 0; index < raw.length; index++)
      raw[index] = fromWasm(raw[index]!, params[index]!);
    if (extra === undefined) {
      if (cost > 0) context.charge(cost);
    } else {
      const added = extra(context, ...raw);
      context.charge(typeof added === 'number' ? cost + added : BigInt(cost) + added);
    }
    const { mode } = context.execution;
    if (!allowed.has(mode)) throw wrongMode(errorName, mode);
    const value = run(context, ...raw);
    return bigResult ? BigInt(value as number) : value;
  };
}

/** Throws the replica's error unless `[start, start + length)` lies within `size` bytes. */
export function checkSlice(what: string, start: Address, length: Address, size: number): void {
  if (typeof start === 'number' && typeof length === 'number') {
    if (start + length <= size) return;
    if (start + length <= Number.MAX_SAFE_INTEGER) {
      throw toolchainViolation(
        `${what}: src=${start} + length=${length} exceeds the slice size=${size}`,
      );
    }
  }
  if (BigInt(start) + BigInt(length) >= 1n << 64n) {
    throw toolchainViolation(`${what}: src=${start} + length=${length} is an invalid address`);
  }
  throw toolchainViolation(
    `${what}: src=${start} + length=${length} exceeds the slice size=${size}`,
  );
}

/** Size of the heap in bytes. Throws where the module has none. */
export function heapBytes(context: ApiContext): number {
  if (!context.code.module.hasMemory)
    throw toolchainViolation('WebAssembly module must define memory');
  return context.code.instance.memoryPages() * 65_536;
}

/** Copy of heap bytes; `what` names the range in errors. */
export function readHeap(
  context: ApiContext,
  what: string,
  start: Address,
  length: Address,
): Uint8Array {
  checkSlice(what, start, length, heapBytes(context));
  return context.code.instance.readBytes(start, length);
}

/** Copies a part of `source` to the heap; names of both ranges as in the replica's errors. */
export function copyToHeap(
  context: ApiContext,
  name: string,
  sourceName: string,
  source: Uint8Array,
  dst: Address,
  offset: Address,
  size: Address,
): void {
  checkSlice(`ic0.${name} heap`, dst, size, heapBytes(context));
  checkSlice(`ic0.${name} ${sourceName}`, offset, size, source.length);
  const from = offset as number;
  context.code.instance.writeBytes(dst, source.subarray(from, from + (size as number)));
}

/** Writes 128 bits, little-endian. */
export function writeCycles(context: ApiContext, name: string, amount: bigint, dst: Address): void {
  const size = heapBytes(context);
  if (typeof dst === 'bigint' || dst + 16 > size) {
    throw toolchainViolation(
      `${name} failed because dst + size is out of bounds.Found dst = ${dst} and size = 16 while must be <= ${size}`,
    );
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, amount), true);
  view.setBigUint64(8, amount >> 64n, true);
  context.code.instance.writeBytes(dst, bytes);
}
