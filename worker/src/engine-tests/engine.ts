import {
  DType,
  dtypeBytes,
  dtypeName,
  OpCode,
  type DTypeName,
  type OpName,
} from '@canopy/protocol';
import { fromBfloat, fromHalf, toBfloat, toHalf } from '../testing/half.js';
import { compileEngine } from './compile.js';

/** A tensor as tests write it: numbers whatever the type (i64 as numbers within 2^53). */
export interface TestTensor {
  dtype: DTypeName;
  dims: readonly number[];
  data: ArrayLike<number>;
}

export interface RunOptions {
  /** Inputs whose buffers the node may take over. */
  dies?: readonly number[];
  /** Yield at every chance. */
  yieldAlways?: boolean;
  outputs?: number;
}

interface Exports {
  memory: WebAssembly.Memory;
  alloc(bytes: number): number;
  release(address: number): void;
  heapUsed(): bigint;
  heapEnd(): number;
  setHeapLimit(end: number): void;
  setBudget(limit: bigint): void;
  beginNode(
    op: number,
    inputs: number,
    inputCount: number,
    outputs: number,
    outputCount: number,
    words: number,
    wordCount: number,
    dying: bigint,
    name: number,
  ): void;
  endNode(): void;
  errorText(): number;
  errorLength(): number;
  runOp(code: number): number;
}

const tensorBytes = 56;
const [done, yielded] = [0, 1];

type TypedArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

export function viewOf(dtype: DTypeName, bytes: Uint8Array<ArrayBuffer>): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(bytes.buffer);
    case 'float64':
      return new Float64Array(bytes.buffer);
    case 'int32':
      return new Int32Array(bytes.buffer);
    case 'uint32':
      return new Uint32Array(bytes.buffer);
    case 'int16':
      return new Int16Array(bytes.buffer);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(bytes.buffer);
    case 'int8':
      return new Int8Array(bytes.buffer);
    case 'int64':
      return new BigInt64Array(bytes.buffer);
    case 'uint64':
      return new BigUint64Array(bytes.buffer);
    case 'uint8':
    case 'bool':
      return bytes;
  }
}

/** Elements as numbers, whatever the type. */
export function numbersOf(dtype: DTypeName, bytes: Uint8Array<ArrayBuffer>): number[] {
  const view = viewOf(dtype, bytes);
  if (dtype === 'float16') return Array.from(view as Uint16Array, fromHalf);
  if (dtype === 'bfloat16') return Array.from(view as Uint16Array, fromBfloat);
  return Array.from(view, Number);
}

export function toBytes(tensor: TestTensor): Uint8Array<ArrayBuffer> {
  const count = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (tensor.data.length !== count) {
    throw new Error(`[${tensor.dims.join()}] needs ${count} values, given ${tensor.data.length}`);
  }
  const bytes = new Uint8Array(count * dtypeBytes(tensor.dtype));
  const view = viewOf(tensor.dtype, bytes);
  for (let i = 0; i < count; i++) {
    if (view instanceof BigInt64Array || view instanceof BigUint64Array) {
      // 2^63 - 1, which stands for "to the end", is no number: it comes back as 2^63.
      view[i] = tensor.data[i]! >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(tensor.data[i]!);
    } else if (tensor.dtype === 'float16') view[i] = toHalf(tensor.data[i]!);
    else if (tensor.dtype === 'bfloat16') view[i] = toBfloat(tensor.data[i]!);
    else view[i] = tensor.data[i]!;
  }
  return bytes;
}

/** 32-bit attribute word of a float. */
export function f32Bits(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0]!;
}

/** The words of an epilogue that does nothing. */
export const noEpilogue = [0, 0, 0, f32Bits(1), 0];

/** The engine in this process, one node at a time. */
export class Engine {
  #memory: WebAssembly.Memory;
  #exports: Exports;
  /** What the stand-in for `ic0.performance_counter` answers. */
  #counter = 0n;
  /** Times nodes yielded since the engine was made. */
  yields = 0;

  private constructor(exports: Exports, setCounter: (read: () => bigint) => void) {
    this.#exports = exports;
    this.#memory = exports.memory;
    setCounter(() => this.#counter);
  }

  static async create(): Promise<Engine> {
    const { wasm } = await compileEngine();
    let read = (): bigint => 0n;
    const { instance } = await WebAssembly.instantiate(wasm, {
      ic0: {
        performance_counter: () => read(),
        msg_arg_data_size: () => 0,
        msg_arg_data_copy: () => undefined,
        msg_reply_data_append: () => undefined,
      },
    });
    return new Engine(instance.exports as unknown as Exports, (counter) => {
      read = counter;
    });
  }

  /** Lets the heap grow by at most so many bytes. */
  limitHeap(bytes: number): void {
    this.#exports.setHeapLimit(this.heapEnd() + bytes);
  }

  /** Takes all memory below `end` that is free, so that what comes next lies behind it. */
  occupyUntil(end: number): void {
    // The heap begins behind the module's own data, which shows with its first block.
    this.#alloc(64);
    this.#alloc(end - (this.#exports.heapEnd() >>> 0) - 64);
  }

  /** First address past the last block. */
  heapEnd(): number {
    return this.#exports.heapEnd() >>> 0;
  }

  heapUsed(): number {
    return Number(this.#exports.heapUsed());
  }

  #alloc(bytes: number): number {
    const address = this.#exports.alloc(bytes) >>> 0;
    if (address === 0) throw new Error('the engine has no room');
    return address;
  }

  #put(bytes: Uint8Array): number {
    const address = this.#alloc(bytes.length);
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    return address;
  }

  #tensor(name: string, tensor?: TestTensor): number {
    const text = new TextEncoder().encode(name);
    const nameAddress = this.#put(new Uint8Array([text.length, 0, ...text]));
    const words = new Uint32Array(tensorBytes / 4);
    words[4] = nameAddress;
    if (tensor) {
      const bytes = toBytes(tensor);
      words.set([DType[tensor.dtype], tensor.dims.length, bytes.length, this.#put(bytes)]);
      words.set(tensor.dims, 6);
    }
    return this.#put(new Uint8Array(words.buffer));
  }

  #freeTensor(address: number): void {
    const words = new Uint32Array(this.#memory.buffer, address, tensorBytes / 4);
    this.#exports.release(words[3]!);
    this.#exports.release(words[4]!);
    this.#exports.release(address);
  }

  #read(address: number): TestTensor {
    const words = new Uint32Array(this.#memory.buffer, address, tensorBytes / 4);
    const dtype = dtypeName(words[0]!);
    if (dtype === undefined) throw new Error(`output has type ${words[0]}`);
    const bytes = new Uint8Array(this.#memory.buffer, words[3], words[2]).slice();
    return {
      dtype,
      dims: [...words.subarray(6, 6 + words[1]!)],
      data: numbersOf(dtype, bytes),
    };
  }

  /**
   * Runs one operator.
   * @throws Error with the engine's text where the operator fails
   */
  run(
    op: OpName | number,
    inputs: readonly (TestTensor | undefined)[],
    words: readonly number[] = [],
    options: RunOptions = {},
  ): TestTensor[] {
    const before = this.heapUsed();
    const code = typeof op === 'number' ? op : OpCode[op];
    const inputTensors = inputs.map((tensor, i) => (tensor ? this.#tensor(`in${i}`, tensor) : 0));
    const outputTensors = Array.from({ length: options.outputs ?? 1 }, (_, i) =>
      this.#tensor(`out${i}`),
    );
    const list = (values: readonly number[]): number =>
      this.#put(new Uint8Array(new Uint32Array([...values, 0]).buffer));
    const lists = [list(inputTensors), list(outputTensors), list(words)] as const;
    const name = this.#put(new Uint8Array([4, 0, 0x6e, 0x6f, 0x64, 0x65]));
    const dying = (options.dies ?? []).reduce((mask, i) => mask | (1n << BigInt(i)), 0n);
    this.#counter = options.yieldAlways ? 1n : 0n;
    this.#exports.setBudget(options.yieldAlways ? 1n : 2n);
    this.#exports.beginNode(
      code,
      lists[0],
      inputs.length,
      lists[1],
      outputTensors.length,
      lists[2],
      words.length,
      dying,
      name,
    );
    let status = this.#exports.runOp(code);
    while (status === yielded) {
      this.yields++;
      status = this.#exports.runOp(code);
    }
    this.#exports.endNode();
    const text = new TextDecoder().decode(
      new Uint8Array(
        this.#memory.buffer,
        this.#exports.errorText(),
        this.#exports.errorLength(),
      ).slice(),
    );
    const results = status === done ? outputTensors.map((address) => this.#read(address)) : [];
    for (const address of [...inputTensors, ...outputTensors]) {
      if (address !== 0) this.#freeTensor(address);
    }
    for (const address of [...lists, name]) this.#exports.release(address);
    if (this.heapUsed() !== before) throw new Error('the engine has not released all memory');
    if (status !== done) throw new Error(text);
    return results;
  }
}
