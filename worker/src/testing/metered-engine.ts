import { DType, dtypeBytes, OpCode, type DTypeName, type OpName } from '@canopy/protocol';
import { CanisterInstance, compileModule, type CanisterModule } from '@canopy/local-ic/wasm';
import { compileEngine } from '../engine-tests/compile.js';

/** A tensor as its bytes. */
export interface Bytes {
  dtype: DTypeName;
  dims: readonly number[];
  bytes: Uint8Array;
}

export interface MeteredNode {
  op: OpName;
  inputs: readonly (Bytes | undefined)[];
  words?: readonly number[] | undefined;
  /** Inputs whose buffers the node may take over. */
  dies?: readonly number[] | undefined;
  /** Number of outputs; default: 1. */
  outputs?: number | undefined;
}

export interface MeteredRun {
  /** Struct and bytes of the outputs. */
  output: Uint8Array;
  /** Messages the node took. */
  messages: number;
  /** All instructions of the operator. */
  instructions: number;
  /** Most instructions in a row without a look at the counter. */
  longest: number;
}

const tensorWords = 14;
const limit = 1_000_000_000_000;

/** The node as `stage` of ops/testing.ts takes it. */
function argumentOf({ op, inputs, words = [], dies = [], outputs = 1 }: MeteredNode): Uint8Array {
  const dying = dies.reduce((mask, i) => mask | (1 << i), 0);
  const head = [OpCode[op], inputs.length, outputs, words.length, dying, ...words];
  const parts: [number, Uint8Array][] = [];
  let at = (head.length + tensorWords * inputs.length) * 4;
  for (const input of inputs) {
    const tensor = new Array<number>(tensorWords).fill(0);
    if (input) {
      tensor.splice(0, 4, DType[input.dtype], input.dims.length, input.bytes.length, at);
      input.dims.forEach((dim, i) => (tensor[6 + i] = dim));
      parts.push([at, input.bytes]);
      at += Math.ceil(input.bytes.length / 16) * 16;
    } else tensor[1] = 0xffffffff;
    head.push(...tensor);
  }
  const argument = new Uint8Array(at);
  argument.set(new Uint8Array(Uint32Array.from(head).buffer));
  for (const [offset, bytes] of parts) argument.set(bytes, offset);
  return argument;
}

/** The engine with its instructions counted as on the embedded IC, without what pages cost. */
export class MeteredEngine {
  private constructor(private readonly module: CanisterModule) {}

  static async create(): Promise<MeteredEngine> {
    return new MeteredEngine(compileModule((await compileEngine()).wasm, '2025-10'));
  }

  /**
   * Runs one node on a fresh heap.
   * @param yields whether it yields at every look at the counter, or at none
   * @throws Error with the engine's text where the operator fails
   */
  run(node: MeteredNode, yields: boolean): MeteredRun {
    const argument = argumentOf(node);
    const reply: Uint8Array[] = [];
    let lastLook = limit;
    let longest = 0;
    const look = (left: number): void => {
      longest = Math.max(longest, lastLook - left);
      lastLook = left;
    };
    const instance: CanisterInstance = new CanisterInstance(this.module, {
      performance_counter: () => {
        look(instance.instructionsLeft);
        return yields ? -1n : 0n;
      },
      msg_arg_data_size: () => argument.length,
      msg_arg_data_copy: (to: number) => {
        instance.writeBytes(to, argument);
      },
      msg_reply_data_append: (from: number, size: number) => {
        reply.push(instance.readBytes(from, size));
      },
    });
    const call = (name: string): number => {
      const outcome = instance.run({ export: name }, limit);
      if (outcome.kind !== 'returned') {
        throw new Error(`${node.op}: ${name} trapped: ${outcome.trap.kind}`);
      }
      instance.commit();
      return outcome.instructions;
    };
    instance.run({ start: true }, limit);
    instance.commit();
    call('stage');
    let messages = 0;
    let instructions = 0;
    let status = 1;
    while (status === 1) {
      lastLook = limit;
      const used = call('step');
      look(limit - used);
      instructions += used;
      messages++;
      reply.length = 0;
      call('tell');
      status = reply[0]![0]!;
    }
    const parts = reply.slice(1);
    if (status !== 0) throw new Error(Buffer.concat(parts).toString());
    // Each output is a struct and its bytes; the addresses of data and name differ between heaps.
    parts.forEach((part, index) => index % 2 === 0 && part.fill(0, 12, 24));
    const output = new Uint8Array(Buffer.concat(parts));
    return { output, messages, instructions, longest };
  }
}

/** Bytes of so many elements in a pattern that repeats late. */
export function patterned(dims: readonly number[], dtype: DTypeName = 'float32'): Bytes {
  const count = dims.reduce((product, dim) => product * dim, 1);
  const bytes = new Uint8Array(count * dtypeBytes(dtype));
  const value = (i: number): number => (i * 7919) % 1021;
  if (dtype === 'float32') {
    const view = new Float32Array(bytes.buffer);
    for (let i = 0; i < count; i++) view[i] = value(i) / 512 - 1;
  } else if (dtype === 'int64') {
    const view = new Int32Array(bytes.buffer);
    for (let i = 0; i < count; i++) view[2 * i] = value(i);
  } else if (dtype === 'int32') {
    const view = new Int32Array(bytes.buffer);
    for (let i = 0; i < count; i++) view[i] = value(i);
  } else for (let i = 0; i < count; i++) bytes[i] = value(i) & 1;
  return { dtype, dims, bytes };
}

/** An int64 tensor of rank 1. */
export function indexes(values: readonly number[]): Bytes {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { dtype: 'int64', dims: [values.length], bytes };
}

/** A scalar of int64. */
export function scalar(value: number): Bytes {
  return { ...indexes([value]), dims: [] };
}
