import {
  absentValue,
  Activation,
  BinaryKind,
  dtypeBytes,
  dtypeName,
  elementCount,
  opName,
  packedChannels,
  packedMatrixElements,
  panelChannels,
  ReduceKind,
  UnaryKind,
  type DecodedShard,
  type ShardNode,
} from '@canopy/protocol';
import { floatConstant, intConstant, memoryConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Attribute, type Graph } from '../graph/graph.js';

/**
 * Tests only: an encoded shard as an ONNX graph, so that onnxruntime computes what a worker should.
 * It reads nothing but the shard's bytes and follows `protocol/src/opcode.ts` and `packing.ts`.
 */
export function shardToGraph({ program, weightsOffset }: DecodedShard, bytes: Uint8Array): Graph {
  const graph: Graph = {
    name: 'shard',
    opsets: new Map([
      ['', 17],
      ['com.microsoft', 1],
    ]),
    inputs: [],
    outputs: [],
    nodes: [],
    constants: new Map(),
  };
  const name = (index: number): string => (index === absentValue ? '' : `v${index}`);
  const weight = (index: number): { dims: readonly number[]; bytes: Uint8Array } | undefined => {
    const found = program.values[index]?.weight;
    if (!found) return undefined;
    const start = weightsOffset + found.offset;
    return { dims: found.dims, bytes: bytes.slice(start, start + found.byteLength) };
  };
  program.values.forEach((value, index) => {
    const data = weight(index);
    if (data && elementCount(data.dims) * dtypeBytes(value.dtype) === data.bytes.length) {
      graph.constants.set(name(index), memoryConstant(value.dtype, data.dims, data.bytes));
    }
  });
  for (const index of program.inputs) {
    graph.inputs.push({ name: name(index), dtype: program.values[index]!.dtype, dims: undefined });
  }
  const builder = new Builder(graph);
  for (const node of program.nodes) new NodeWriter(node, builder, name, weight).write();
  // A value that passes through, or is given out under two names, needs a node of its own.
  program.outputs.forEach((index, position) => {
    const output = `out${position}`;
    builder.node('Identity', [name(index)], [output]);
    graph.outputs.push({ name: output, dtype: program.values[index]!.dtype, dims: undefined });
  });
  return graph;
}

/** Appends nodes and constants under fresh names. */
class Builder {
  private count = 0;
  constructor(readonly graph: Graph) {}
  fresh(): string {
    return `t${this.count++}`;
  }
  constant(constant: Constant): string {
    const name = this.fresh();
    this.graph.constants.set(name, constant);
    return name;
  }
  scalar(value: number): string {
    return this.constant(floatConstant([], [value]));
  }
  node(
    op: string,
    inputs: string[],
    outputs: string[],
    attributes: Record<string, Attribute> = {},
  ): void {
    this.graph.nodes.push(makeNode(op, this.fresh(), inputs, outputs, attributes));
  }
  /** A node with one output under a fresh name. */
  value(op: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    const output = this.fresh();
    this.node(op, inputs, [output], attributes);
    return output;
  }
}

const int = (value: number): Attribute => ({ kind: 'int', value });
const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const float = (value: number): Attribute => ({ kind: 'float', value });

function invert<T extends Record<string, number>>(codes: T): Map<number, keyof T> {
  return new Map(Object.entries(codes).map(([key, code]) => [code, key]));
}
const unaryNames = invert(UnaryKind);
const binaryNames = invert(BinaryKind);
const reduceNames = invert(ReduceKind);

const unaryOps: Partial<Record<keyof typeof UnaryKind, string>> = {
  relu: 'Relu',
  hardSwish: 'HardSwish',
  sigmoid: 'Sigmoid',
  gelu: 'com.microsoft.Gelu',
  tanh: 'Tanh',
  erf: 'Erf',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  reciprocal: 'Reciprocal',
  neg: 'Neg',
  abs: 'Abs',
  floor: 'Floor',
  ceil: 'Ceil',
  round: 'Round',
  sign: 'Sign',
  sin: 'Sin',
  cos: 'Cos',
  softplus: 'Softplus',
  not: 'Not',
};
const binaryOps: Record<keyof typeof BinaryKind, string> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  pow: 'Pow',
  min: 'Min',
  max: 'Max',
  equal: 'Equal',
  less: 'Less',
  lessOrEqual: 'LessOrEqual',
  greater: 'Greater',
  greaterOrEqual: 'GreaterOrEqual',
  and: 'And',
  or: 'Or',
  xor: 'Xor',
  prelu: 'PRelu',
};
const reduceOps: Record<keyof typeof ReduceKind, string> = {
  mean: 'ReduceMean',
  sum: 'ReduceSum',
  max: 'ReduceMax',
  min: 'ReduceMin',
  prod: 'ReduceProd',
  sumSquare: 'ReduceSumSquare',
  l2: 'ReduceL2',
};

const converter = new DataView(new ArrayBuffer(4));
function floatOf(word: number): number {
  converter.setUint32(0, word);
  return converter.getFloat32(0);
}

/** Undoes `packMatrix`: [K, N] row-major. */
function unpackMatrix(packed: Float32Array, k: number, n: number): Float32Array {
  const out = new Float32Array(k * n);
  let at = 0;
  for (let start = 0; start < n; start += panelChannels) {
    const width = Math.min(panelChannels, packedChannels(n - start));
    for (let row = 0; row < k; row++) {
      for (let lane = 0; lane < width; lane++, at++) {
        if (start + lane < n) out[row * n + start + lane] = packed[at]!;
      }
    }
  }
  return out;
}

class NodeWriter {
  private readonly words: readonly number[];
  private readonly output: string;

  constructor(
    private readonly source: ShardNode,
    private readonly to: Builder,
    private readonly name: (index: number) => string,
    private readonly weight: (
      index: number,
    ) => { dims: readonly number[]; bytes: Uint8Array } | undefined,
  ) {
    this.words = source.attributes;
    this.output = name(source.outputs[0]!);
  }

  private input(index: number): string {
    const value = this.source.inputs[index];
    return value === undefined ? '' : this.name(value);
  }
  private word(index: number): number {
    return this.words[index]! | 0;
  }
  private float(index: number): number {
    return floatOf(this.words[index]!);
  }
  private weightFloats(index: number): Float32Array {
    return new Float32Array(this.weight(this.source.inputs[index]!)!.bytes.buffer);
  }

  private activation(
    kind: keyof typeof UnaryKind,
    input: string,
    alpha: number,
    beta: number,
  ): string {
    const { to } = this;
    const mapped = unaryOps[kind];
    if (mapped !== undefined) return to.value(mapped, [input]);
    switch (kind) {
      case 'none':
        return to.value('Identity', [input]);
      case 'clip':
        return to.value('Clip', [input, to.scalar(alpha), to.scalar(beta)]);
      case 'hardSigmoid':
        return to.value('HardSigmoid', [input], { alpha: float(alpha), beta: float(beta) });
      case 'quickGelu':
        return to.value('com.microsoft.QuickGelu', [input], { alpha: float(alpha) });
      case 'leakyRelu':
        return to.value('LeakyRelu', [input], { alpha: float(alpha) });
      case 'affine':
        return to.value('Add', [to.value('Mul', [input, to.scalar(alpha)]), to.scalar(beta)]);
      default:
        throw new Error(`no ONNX form of ${kind}`);
    }
  }

  /** Applies the epilogue in the words from `at` on and gives the result the node's output name. */
  private epilogue(input: string, at: number): void {
    const kind = invert(Activation).get(this.word(at))!;
    const active = this.activation(kind, input, this.float(at + 1), this.float(at + 2));
    const { to } = this;
    const [scale, shift] = [this.float(at + 3), this.float(at + 4)];
    const scaled = scale === 1 ? active : to.value('Mul', [active, to.scalar(scale)]);
    const shifted = shift === 0 ? scaled : to.value('Add', [scaled, to.scalar(shift)]);
    to.node('Identity', [shifted], [this.output]);
  }

  private windowAttributes(): Record<string, Attribute> {
    const word = (index: number): number => this.word(index);
    return {
      kernel_shape: ints(word(0), word(1)),
      strides: ints(word(2), word(3)),
      pads: ints(word(4), word(5), word(6), word(7)),
      dilations: ints(word(8), word(9)),
    };
  }

  /** Runs an operation of [batch, channels, height, width] on a channels-last image. */
  private channelsLast(op: string, more: string[], attributes: Record<string, Attribute>): string {
    const { to } = this;
    const first = to.value('Transpose', [this.input(0)], { perm: ints(0, 3, 1, 2) });
    const result = to.value(op, [first, ...more], attributes);
    return to.value('Transpose', [result], { perm: ints(0, 2, 3, 1) });
  }

  private conv(depthwise: boolean): void {
    const [height, width] = [this.word(0), this.word(1)];
    const [group, inChannels, outChannels] = [this.word(10), this.word(11), this.word(12)];
    const inPerGroup = inChannels / group;
    const outPerGroup = outChannels / group;
    const pixels = height * width;
    const filter = new Float32Array(outChannels * inPerGroup * pixels);
    const packed = this.weightFloats(1);
    const stored = this.weightFloats(2);
    const bias = new Float32Array(outChannels);
    if (depthwise) {
      for (let channel = 0; channel < outChannels; channel++) {
        for (let pixel = 0; pixel < pixels; pixel++) {
          filter[channel * pixels + pixel] = packed[pixel * packedChannels(outChannels) + channel]!;
        }
        bias[channel] = stored[channel]!;
      }
    } else {
      const k = pixels * inPerGroup;
      const groupElements = packedMatrixElements(k, outPerGroup);
      for (let index = 0; index < group; index++) {
        const part = packed.subarray(index * groupElements, (index + 1) * groupElements);
        const rows = unpackMatrix(part, k, outPerGroup);
        for (let out = 0; out < outPerGroup; out++) {
          const channel = index * outPerGroup + out;
          bias[channel] = stored[index * packedChannels(outPerGroup) + out]!;
          for (let pixel = 0; pixel < pixels; pixel++) {
            for (let inner = 0; inner < inPerGroup; inner++) {
              filter[(channel * inPerGroup + inner) * pixels + pixel] =
                rows[(pixel * inPerGroup + inner) * outPerGroup + out]!;
            }
          }
        }
      }
    }
    const { to } = this;
    const filterName = to.constant(floatConstant([outChannels, inPerGroup, height, width], filter));
    const result = this.channelsLast(
      'Conv',
      [filterName, to.constant(floatConstant([outChannels], bias))],
      {
        ...this.windowAttributes(),
        group: int(group),
      },
    );
    this.epilogue(result, 13);
  }

  /** The node's output as an operator of ONNX with the same inputs. */
  private same(op: string, attributes: Record<string, Attribute> = {}): void {
    const inputs = this.source.inputs.map((index) => this.name(index));
    this.to.node(op, inputs, [this.output], attributes);
  }

  write(): void {
    const { to } = this;
    const op = opName(this.source.op);
    switch (op) {
      case 'Linear': {
        const [k, n] = [this.word(0), this.word(1)];
        const matrix = to.constant(floatConstant([k, n], unpackMatrix(this.weightFloats(1), k, n)));
        const bias = to.constant(floatConstant([n], this.weightFloats(2).subarray(0, n)));
        this.epilogue(to.value('Add', [to.value('MatMul', [this.input(0), matrix]), bias]), 2);
        return;
      }
      case 'Conv':
        this.conv(false);
        return;
      case 'DepthwiseConv':
        this.conv(true);
        return;
      case 'MatMul':
        to.node('com.microsoft.FusedMatMul', [this.input(0), this.input(1)], [this.output], {
          transA: int(this.word(0)),
          transB: int(this.word(1)),
          alpha: float(this.float(2)),
        });
        return;
      case 'Binary': {
        const kind = binaryNames.get(this.word(0))!;
        this.epilogueIfFloat(to.value(binaryOps[kind], [this.input(0), this.input(1)]));
        return;
      }
      case 'Unary': {
        const kind = unaryNames.get(this.word(0))!;
        const result = this.activation(kind, this.input(0), this.float(1), this.float(2));
        to.node('Identity', [result], [this.output]);
        return;
      }
      case 'Cast':
        this.same('Cast', { to: int(this.word(0)) });
        return;
      case 'Softmax':
        this.same('Softmax', { axis: int(this.word(0)) });
        return;
      case 'LayerNorm':
        this.same('LayerNormalization', { axis: int(this.word(0)), epsilon: float(this.float(1)) });
        return;
      case 'Reduce': {
        const kind = reduceNames.get(this.word(0))!;
        const axes = this.words.slice(3, 3 + this.word(2)).map((axis) => axis | 0);
        const attributes: Record<string, Attribute> = { keepdims: int(this.word(1)) };
        const inputs = [this.input(0)];
        if (axes.length > 0 && kind === 'sum')
          inputs.push(to.constant(intConstant([axes.length], axes)));
        else if (axes.length > 0) attributes['axes'] = ints(...axes);
        to.node(reduceOps[kind], inputs, [this.output], attributes);
        return;
      }
      case 'MaxPool':
      case 'AveragePool': {
        const { dilations, ...window } = this.windowAttributes();
        const attributes: Record<string, Attribute> = { ...window, ceil_mode: int(this.word(10)) };
        if (op === 'MaxPool') attributes['dilations'] = dilations!;
        else attributes['count_include_pad'] = int(this.word(11));
        to.node('Identity', [this.channelsLast(op, [], attributes)], [this.output]);
        return;
      }
      case 'GlobalAveragePool':
        to.node('Identity', [this.channelsLast(op, [], {})], [this.output]);
        return;
      case 'Transpose':
        this.same('Transpose', { perm: ints(...this.words) });
        return;
      case 'Reshape':
        this.same('Reshape', { allowzero: int(this.word(0)) });
        return;
      case 'Shape':
        this.same('Shape', { start: int(this.word(0)), end: int(this.word(1)) });
        return;
      case 'Gather':
      case 'Concat':
      case 'Flatten':
        this.same(op, { axis: int(this.word(0)) });
        return;
      case 'Slice':
      case 'Squeeze':
      case 'Unsqueeze':
      case 'Expand':
      case 'Where':
      case 'Range':
      case 'Identity':
        this.same(op);
        return;
      case 'ConstantOfShape': {
        const dtype = dtypeName(this.word(0))!;
        const value =
          dtype === 'float32'
            ? floatConstant([1], [this.float(1)])
            : memoryConstant(
                dtype,
                [1],
                new Uint8Array(Uint32Array.of(this.words[1]!, this.words[2]!).buffer).slice(
                  0,
                  dtypeBytes(dtype),
                ),
              );
        this.same('ConstantOfShape', { value: { kind: 'tensor', value } });
        return;
      }
      case 'Pad':
        this.same('Pad', {
          mode: { kind: 'string', value: ['constant', 'reflect', 'edge'][this.word(0)]! },
        });
        return;
      case undefined:
        throw new Error(`operator code ${this.source.op} is unknown`);
    }
  }

  /** Results that are not f32 have an epilogue that does nothing. */
  private epilogueIfFloat(result: string): void {
    const plain = this.word(1) === Activation.none && this.float(4) === 1 && this.float(5) === 0;
    if (plain) this.to.node('Identity', [result], [this.output]);
    else this.epilogue(result, 1);
  }
}
