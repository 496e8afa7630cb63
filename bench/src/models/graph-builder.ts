import {
  floatConstant,
  intConstant,
  makeNode,
  memoryConstant,
  writeOnnx,
  type Attribute,
  type Constant,
  type Graph,
} from '@canopy/partitioner';
import { elementCount, type DTypeName } from '@canopy/protocol';
import { Random } from './random.js';

/** Operator set of the generated models: the first with LayerNormalization. */
const opset = 17;

export interface ConvOptions {
  inChannels: number;
  outChannels: number;
  kernel: number;
  stride?: number;
  /** Groups of channels; as many as channels for a depthwise convolution. */
  group?: number;
  /** Variance of the results where that of the inputs is 1; 2 makes up for a ReLU after it. */
  gain?: number;
}

/** Makes weights of numbers in [-limit, limit) around a center. */
export type WeightMaker = (
  dims: readonly number[],
  random: Random,
  limit: number,
  center: number,
) => Constant;

const inMemory: WeightMaker = (dims, random, limit, center) => {
  const values = random.uniform(elementCount(dims), limit);
  return floatConstant(dims, center === 0 ? values : values.map((value) => value + center));
};

export const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });

/**
 * Writes a model layer by layer, in the form in which exporters write it. Every method takes and
 * gives names of values. Weights are random, from the seed, and keep the variance of what passes.
 */
export class GraphBuilder {
  private readonly graph: Graph;
  private readonly random: Random;
  private count = 0;

  /**
   * @param makeWeight where random weights go; into memory where it is left out
   * @param makeMatrix where those go that {@link matrix} makes; as the others where it is left out
   */
  constructor(
    name: string,
    seed: number,
    private readonly makeWeight: WeightMaker = inMemory,
    private readonly makeMatrix: WeightMaker = makeWeight,
  ) {
    this.graph = {
      name,
      opsets: new Map([['', opset]]),
      inputs: [],
      outputs: [],
      nodes: [],
      constants: new Map(),
    };
    this.random = new Random(seed);
  }

  input(name: string, dtype: DTypeName, dims: (number | string)[]): string {
    this.graph.inputs.push({ name, dtype, dims });
    return name;
  }

  /** Makes `value` an output of the model, under a name of its own. */
  output(name: string, value: string, dims: (number | string)[]): void {
    this.graph.nodes.push(makeNode('Identity', `output_${name}`, [value], [name]));
    this.graph.outputs.push({ name, dtype: 'float32', dims });
  }

  /** Adds an operator with one result. */
  node(op: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    const name = `${op}_${this.count++}`;
    const result = `${name}_output`;
    this.graph.nodes.push(makeNode(op, name, inputs, [result], attributes));
    return result;
  }

  /** A weight of random numbers with the given variance, around `center`. */
  weight(dims: number[], variance: number, center = 0): string {
    return this.made(this.makeWeight, dims, variance, center);
  }

  /** A weight as {@link weight} gives it, in the type in which matrices are stored. */
  matrix(dims: number[], variance: number): string {
    return this.made(this.makeMatrix, dims, variance, 0);
  }

  private made(make: WeightMaker, dims: number[], variance: number, center: number): string {
    const name = `weight_${this.count++}`;
    this.graph.constants.set(name, make(dims, this.random, Math.sqrt(3 * variance), center));
    return name;
  }

  scalar(value: number): string {
    const name = `scalar_${this.count++}`;
    this.graph.constants.set(name, floatConstant([], [value]));
    return name;
  }

  /** A weight filled with one number. */
  filled(dims: number[], value: number): string {
    const name = `weight_${this.count++}`;
    const size = dims.reduce((product, dim) => product * dim, 1);
    this.graph.constants.set(name, floatConstant(dims, new Float32Array(size).fill(value)));
    return name;
  }

  indices(...values: number[]): string {
    const name = `indices_${this.count++}`;
    this.graph.constants.set(name, intConstant([values.length], values));
    return name;
  }

  /** [batch, inC, h, w] to [batch, outC, h / stride, w / stride], padded to keep the size. */
  conv(x: string, options: ConvOptions): string {
    const { inChannels, outChannels, kernel, stride = 1, group = 1, gain = 2 } = options;
    const fanIn = (inChannels / group) * kernel * kernel;
    const weight = this.weight([outChannels, inChannels / group, kernel, kernel], gain / fanIn);
    const bias = this.weight([outChannels], 0.01);
    const pad = (kernel - 1) / 2;
    return this.node('Conv', [x, weight, bias], {
      kernel_shape: ints(kernel, kernel),
      strides: ints(stride, stride),
      pads: ints(pad, pad, pad, pad),
      dilations: ints(1, 1),
      group: int(group),
    });
  }

  relu(x: string): string {
    return this.node('Relu', [x]);
  }

  /** min(max(x, 0), 6) */
  relu6(x: string): string {
    return this.node('Clip', [x, this.scalar(0), this.scalar(6)]);
  }

  add(a: string, b: string): string {
    return this.node('Add', [a, b]);
  }

  /** [.., inC] to [.., outC] */
  linear(x: string, inChannels: number, outChannels: number, gain = 1): string {
    const product = this.node('MatMul', [
      x,
      this.weight([inChannels, outChannels], gain / inChannels),
    ]);
    return this.add(this.weight([outChannels], 0.01), product);
  }

  /** [batch, channels, h, w] to scores [batch, classes] */
  classifier(x: string, channels: number, classes: number): string {
    const flat = this.node('Flatten', [this.node('GlobalAveragePool', [x])], { axis: int(1) });
    const weight = this.weight([classes, channels], 1 / channels);
    const bias = this.weight([classes], 0.01);
    return this.node('Gemm', [flat, weight, bias], {
      alpha: float(1),
      beta: float(1),
      transB: int(1),
    });
  }

  /** Over the last dimension of [.., channels]. */
  layerNorm(x: string, channels: number): string {
    const scale = this.filled([channels], 1);
    const shift = this.weight([channels], 0.01);
    return this.node('LayerNormalization', [x, scale, shift], {
      axis: int(-1),
      epsilon: float(1e-12),
    });
  }

  /** x / 2 * (1 + erf(x / sqrt 2)), as exporters write it. */
  gelu(x: string): string {
    const erf = this.node('Erf', [this.node('Div', [x, this.scalar(Math.SQRT2)])]);
    const product = this.node('Mul', [x, this.add(erf, this.scalar(1))]);
    return this.node('Mul', [product, this.scalar(0.5)]);
  }

  /** A lower triangle of `true` [1, 1, size, size]. */
  triangle(size: number): string {
    const name = `triangle_${this.count++}`;
    const bits = new Uint8Array(size * size);
    for (let row = 0; row < size; row++) bits.fill(1, row * size, row * size + row + 1);
    this.graph.constants.set(name, memoryConstant('bool', [1, 1, size, size], bits));
    return name;
  }

  /**
   * The model as the bytes of an ONNX file.
   *
   * @param beside name of the file beside it in which weights lie that lie in a file
   */
  finish(beside?: string): Uint8Array {
    if (beside === undefined) return writeOnnx(this.graph);
    return writeOnnx(this.graph, [], (_, { file }) =>
      file ? { location: beside, offset: file.offset } : undefined,
    );
  }
}
