import { InferenceSession, Tensor } from 'onnxruntime-node';
import { DType, type DTypeName } from '@canopy/protocol';
import { numbersOf, toBytes, viewOf, type TestTensor } from './engine.js';

export type Attribute =
  | number
  | string
  | readonly number[]
  | { float: number }
  | { floats: readonly number[] }
  | { strings: readonly string[] }
  | { tensor: TestTensor };

/** Protocol buffer fields; field numbers as in onnx.proto. */
class Message {
  readonly #bytes: number[] = [];

  #varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      this.#bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#bytes.push(Number(rest));
  }

  int(field: number, value: number): this {
    this.#varint(BigInt(field << 3));
    this.#varint(BigInt(value));
    return this;
  }

  float(field: number, value: number): this {
    this.#varint(BigInt((field << 3) | 5));
    this.#bytes.push(...new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array | readonly number[]): this {
    this.#varint(BigInt((field << 3) | 2));
    this.#varint(BigInt(value.length));
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.#bytes);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, 2);
  if (typeof value === 'string') return message.text(4, value).int(20, 3);
  if ('float' in value) return message.float(2, value.float).int(20, 1);
  if ('floats' in value) {
    for (const item of value.floats) message.float(7, item);
    return message.int(20, 6);
  }
  if ('strings' in value) {
    for (const item of value.strings) message.text(9, item);
    return message.int(20, 8);
  }
  if ('tensor' in value) return message.message(5, tensorMessage(value.tensor)).int(20, 4);
  for (const item of value) message.int(8, item);
  return message.int(20, 7);
}

function tensorMessage(tensor: TestTensor): Message {
  const message = new Message();
  for (const dim of tensor.dims) message.int(1, dim);
  return message.int(2, DType[tensor.dtype]).bytes(9, toBytes(tensor));
}

function valueInfo(name: string, dtype: DTypeName, dims?: readonly number[]): Message {
  const type = new Message().int(1, DType[dtype]);
  if (dims) {
    const shape = new Message();
    for (const dim of dims) shape.message(1, new Message().int(1, dim));
    type.message(2, shape);
  }
  return new Message().text(1, name).message(2, new Message().message(1, type));
}

export interface OnnxNode {
  type: string;
  inputs: readonly (TestTensor | undefined)[];
  attributes?: Readonly<Record<string, Attribute>>;
  /** Types of the outputs; default: one of float32. */
  outputs?: readonly DTypeName[];
  opset?: number;
  domain?: string;
  /** Version of the domain's operator set; default: 1. */
  domainOpset?: number;
}

/** A model of one node, all of its inputs given when it runs. */
export function onnxModel(node: OnnxNode): Uint8Array {
  const outputs = node.outputs ?? ['float32' as const];
  const message = new Message();
  node.inputs.forEach((tensor, i) => message.text(1, tensor ? `in${i}` : ''));
  outputs.forEach((_, i) => message.text(2, `out${i}`));
  message.text(4, node.type);
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    message.message(5, attributeMessage(name, value));
  }
  if (node.domain) message.text(7, node.domain);
  const graph = new Message().message(1, message).text(2, 'test');
  node.inputs.forEach((tensor, i) => {
    if (tensor) graph.message(11, valueInfo(`in${i}`, tensor.dtype, tensor.dims));
  });
  outputs.forEach((dtype, i) => graph.message(12, valueInfo(`out${i}`, dtype)));
  const model = new Message().int(1, 8).message(7, graph);
  model.message(8, new Message().text(1, '').int(2, node.opset ?? 17));
  if (node.domain)
    model.message(8, new Message().text(1, node.domain).int(2, node.domainOpset ?? 1));
  return model.finish();
}

function toOrt(tensor: TestTensor): Tensor {
  const { dtype, dims } = tensor;
  if (dtype === 'bfloat16') throw new Error('onnxruntime-node takes no bfloat16');
  const data = viewOf(dtype, toBytes(tensor));
  return new Tensor(dtype as 'float32', data as Float32Array, dims);
}

/** What onnxruntime makes of one node, its graph optimisations switched off. */
export async function onnxruntime(node: OnnxNode): Promise<TestTensor[]> {
  const session = await InferenceSession.create(onnxModel(node), {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
  const feeds: Record<string, Tensor> = {};
  node.inputs.forEach((tensor, i) => {
    if (tensor) feeds[`in${i}`] = toOrt(tensor);
  });
  const results = await session.run(feeds, { logSeverityLevel: 4 });
  await session.release();
  return session.outputNames.map((name) => {
    const { type, dims, data } = results[name]!;
    const { buffer, byteOffset, byteLength } = data as Float32Array;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength).slice();
    return { dtype: type as DTypeName, dims, data: numbersOf(type as DTypeName, bytes) };
  });
}
