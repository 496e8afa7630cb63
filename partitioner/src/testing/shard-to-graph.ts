import {
  absentValue,
  DType,
  decodeAttributes,
  dtypeBytes,
  elementCount,
  opName,
  packedChannels,
  packedMatrixElements,
  panelChannels,
  type BinaryName,
  type DecodedShard,
  type Epilogue,
  type OpAttributes,
  type OpName,
  type ReduceName,
  type ShardNode,
  type UnaryName,
} from '@canopy/protocol';
import { floatConstant, intConstant, memoryConstant, type Constant } from '../graph/constant.js';
import type { Window } from '../graph/program.js';
import { makeNode, type Attribute, type Graph } from '../graph/graph.js';

/**
 * Tests only: an encoded shard as an ONNX graph, so that onnxruntime computes what a worker should.
 * It reads nothing but the shard's bytes, by the descriptions and packing of the protocol.
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

const unaryOps: Partial<Record<UnaryName, string>> = {
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
const binaryOps: Partial<Record<BinaryName, string>> = {
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
const reduceOps: Record<ReduceName, string> = {
  mean: 'ReduceMean',
  sum: 'ReduceSum',
  max: 'ReduceMax',
  min: 'ReduceMin',
  prod: 'ReduceProd',
  sumSquare: 'ReduceSumSquare',
  l2: 'ReduceL2',
};

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
  private readonly output: string;

  constructor(
    private readonly source: ShardNode,
    private readonly to: Builder,
    private readonly name: (index: number) => string,
    private readonly weight: (
      index: number,
    ) => { dims: readonly number[]; bytes: Uint8Array } | undefined,
  ) {
    this.output = name(source.outputs[0]!);
  }

  private input(index: number): string {
    const value = this.source.inputs[index];
    return value === undefined ? '' : this.name(value);
  }
  private attributes<Op extends OpName>(op: Op): OpAttributes[Op] {
    return decodeAttributes(op, this.source.attributes);
  }
  private weightFloats(index: number): Float32Array {
    return new Float32Array(this.weight(this.source.inputs[index]!)!.bytes.buffer);
  }

  private activation(kind: UnaryName, input: string, alpha: number, beta: number): string {
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

  /** Applies an epilogue and gives the result the node's output name. */
  private epilogue(input: string, { activation, alpha, beta, scale, shift }: Epilogue): void {
    const { to } = this;
    const active = activation === 'none' ? input : this.activation(activation, input, alpha, beta);
    const scaled = scale === 1 ? active : to.value('Mul', [active, to.scalar(scale)]);
    const shifted = shift === 0 ? scaled : to.value('Add', [scaled, to.scalar(shift)]);
    to.node('Identity', [shifted], [this.output]);
  }

  private windowAttributes({
    kernel,
    strides,
    pads,
    dilations,
  }: Window): Record<string, Attribute> {
    return {
      kernel_shape: ints(...kernel),
      strides: ints(...strides),
      pads: ints(...pads),
      dilations: ints(...dilations),
    };
  }

  /** Runs an operation of [batch, channels, height, width] on a channels-last image. */
  private channelsLast(op: string, more: string[], attributes: Record<string, Attribute>): string {
    const { to } = this;
    const first = to.value('Transpose', [this.input(0)], { perm: ints(0, 3, 1, 2) });
    const result = to.value(op, [first, ...more], attributes);
    return to.value('Transpose', [result], { perm: ints(0, 2, 3, 1) });
  }

  private conv(attributes: OpAttributes['Conv'], depthwise: boolean): void {
    const { kernel, group, inChannels, outChannels, epilogue } = attributes;
    const [height, width] = kernel;
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
        ...this.windowAttributes(attributes),
        group: int(group),
      },
    );
    this.epilogue(result, epilogue);
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
        const { k, n, epilogue } = this.attributes(op);
        const matrix = to.constant(floatConstant([k, n], unpackMatrix(this.weightFloats(1), k, n)));
        const bias = to.constant(floatConstant([n], this.weightFloats(2).subarray(0, n)));
        const product = to.value('Add', [to.value('MatMul', [this.input(0), matrix]), bias]);
        this.epilogue(product, epilogue);
        return;
      }
      case 'Conv':
      case 'DepthwiseConv':
        this.conv(this.attributes(op), op === 'DepthwiseConv');
        return;
      case 'MatMul': {
        const { transA, transB, alpha } = this.attributes(op);
        this.same('com.microsoft.FusedMatMul', {
          transA: int(Number(transA)),
          transB: int(Number(transB)),
          alpha: float(alpha),
        });
        return;
      }
      case 'Binary': {
        const { kind, epilogue } = this.attributes(op);
        const mapped = binaryOps[kind];
        if (mapped === undefined) throw new Error(`no ONNX form of ${kind}`);
        this.epilogue(to.value(mapped, [this.input(0), this.input(1)]), epilogue);
        return;
      }
      case 'Unary': {
        const { kind, alpha, beta } = this.attributes(op);
        to.node('Identity', [this.activation(kind, this.input(0), alpha, beta)], [this.output]);
        return;
      }
      case 'Cast':
        this.same('Cast', { to: int(DType[this.attributes(op).to]) });
        return;
      case 'LayerNorm': {
        const { axis, epsilon } = this.attributes(op);
        this.same('LayerNormalization', { axis: int(axis), epsilon: float(epsilon) });
        return;
      }
      case 'Reduce': {
        const { kind, keepDims, axes } = this.attributes(op);
        const attributes: Record<string, Attribute> = { keepdims: int(Number(keepDims)) };
        const inputs = [this.input(0)];
        if (axes.length > 0 && kind === 'sum')
          inputs.push(to.constant(intConstant([axes.length], axes)));
        else if (axes.length > 0) attributes['axes'] = ints(...axes);
        to.node(reduceOps[kind], inputs, [this.output], attributes);
        return;
      }
      case 'MaxPool': {
        const { ceilMode, ...window } = this.attributes(op);
        const attributes = { ...this.windowAttributes(window), ceil_mode: int(Number(ceilMode)) };
        to.node('Identity', [this.channelsLast(op, [], attributes)], [this.output]);
        return;
      }
      case 'AveragePool': {
        const { ceilMode, countIncludePad, ...window } = this.attributes(op);
        const { kernel_shape, strides, pads } = this.windowAttributes(window);
        const result = this.channelsLast(op, [], {
          ...{ kernel_shape: kernel_shape!, strides: strides!, pads: pads! },
          ceil_mode: int(Number(ceilMode)),
          count_include_pad: int(Number(countIncludePad)),
        });
        to.node('Identity', [result], [this.output]);
        return;
      }
      case 'GlobalAveragePool':
        to.node('Identity', [this.channelsLast(op, [], {})], [this.output]);
        return;
      case 'Transpose':
        this.same('Transpose', { perm: ints(...this.attributes(op).permutation) });
        return;
      case 'Reshape':
        this.same('Reshape', { allowzero: int(Number(this.attributes(op).allowZero)) });
        return;
      case 'Shape': {
        const { start, end } = this.attributes(op);
        this.same('Shape', { start: int(start), end: int(end) });
        return;
      }
      case 'Softmax':
      case 'Gather':
      case 'Concat':
      case 'Flatten':
        this.same(op, { axis: int(this.attributes(op).axis) });
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
        const { dtype, value } = this.attributes(op);
        const bytes = new Uint8Array(BigInt64Array.of(value).buffer).slice(0, dtypeBytes(dtype));
        const constant = memoryConstant(dtype, [1], bytes);
        this.same('ConstantOfShape', { value: { kind: 'tensor', value: constant } });
        return;
      }
      case 'ArgExtreme': {
        const { axis, largest, keepDims, last } = this.attributes(op);
        this.same(largest ? 'ArgMax' : 'ArgMin', {
          axis: int(axis),
          keepdims: int(keepDims ? 1 : 0),
          select_last_index: int(last ? 1 : 0),
        });
        return;
      }
      case 'Pad':
        this.same('Pad', { mode: { kind: 'string', value: this.attributes(op).mode } });
        return;
      default:
        throw new Error(`operator code ${this.source.op} has no form here`);
    }
  }
}
