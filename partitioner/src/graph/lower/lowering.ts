import { operators, type DTypeName, type Epilogue, type OpName } from '@canopy/protocol';
import {
  allFloats,
  allInts,
  floatConstant,
  intConstant,
  numberConstant,
  type Constant,
} from '../constant.js';
import { isFourBits } from '../../onnx/read-tensor.js';
import { freshName, intAttribute, type Graph, type GraphNode } from '../graph.js';
import {
  fixedShapes,
  noEpilogue,
  weightDims,
  type OpAttributes,
  type Program,
  type ProgramNode,
  type ProgramValue,
  Shapes,
  type Weight,
} from '../program.js';
import type { Dim } from '../shapes/dim.js';
import { fromFront, type Facts } from '../shapes/facts.js';
import type { PlanSizes } from '../shapes/plan-sizes.js';
import { widenedConstant } from './widen-constant.js';

/** Why one node of a model cannot be run by a worker, and what its owner can do. */
export class UnsupportedNode extends Error {
  override readonly name = 'UnsupportedNode';
  constructor(
    readonly why: string,
    readonly advice: string,
  ) {
    super(why);
  }
}

/** A node whose values nothing is known of: because of other nodes that cannot be run. */
export class UnknownValue extends UnsupportedNode {
  constructor(value: string) {
    super(`nothing is known of its value "${value}"`, 'report it');
  }
}

/** Turns one node of the graph into operations; throws {@link UnsupportedNode}. */
export type Lower = (node: GraphNode, to: Lowering) => void;

/** A program under construction, with the questions that lowering an operator asks. */
export class Lowering {
  readonly program: Program;
  /** Constants that lowering makes of those of the graph, by names of the program. */
  private readonly made = new Map<string, Constant>();
  /** Values of halves as f32, by their names. */
  private readonly wide = new Map<string, string>();

  /** @param facts types and sizes of all values of the graph */
  constructor(
    readonly graph: Graph,
    private readonly facts: ReadonlyMap<string, Facts>,
    private readonly sizes: PlanSizes,
  ) {
    this.program = {
      inputs: graph.inputs.map((input) => input.name),
      outputs: graph.outputs.map((output) => output.name),
      nodes: [],
      values: new Map(),
    };
  }

  /** Version of the standard's operator set. */
  get opset(): number {
    return this.graph.opsets.get('') ?? 1;
  }

  /** The constant behind a name; undefined where the value is computed or left out. */
  constant(name: string | undefined): Constant | undefined {
    if (name === undefined) return undefined;
    return this.made.get(name) ?? this.graph.constants.get(name);
  }

  /** The value as the program has it, or will have it. */
  private value(name: string): ProgramValue {
    const known = this.program.values.get(name);
    if (known) return known;
    const facts = this.facts.get(name);
    if (!facts) throw new UnknownValue(name);
    const { dtype, dims, values } = facts;
    const constant = this.constant(name);
    return {
      name,
      dtype,
      shapes: new Shapes(dims, this.sizes),
      ...(values && { elements: values }),
      ...(constant && { weight: { kind: 'plain', constant } as const }),
    };
  }
  /** Whether type and shape of a value are known. */
  knows(name: string): boolean {
    return this.program.values.has(name) || this.facts.has(name);
  }
  dtype(name: string): DTypeName {
    return this.value(name).dtype;
  }
  shapes(name: string): Shapes {
    return this.value(name).shapes;
  }
  /** Sizes of a value, expressions where the model leaves them open. */
  dims(name: string): readonly Dim[] {
    return this.value(name).shapes.dims;
  }
  rank(name: string): number {
    return this.value(name).shapes.rank;
  }
  /** An axis counted from the front. */
  axis(axis: number, rank: number): number {
    return fromFront(axis, rank);
  }

  /** Whether a value of the graph is int4 or uint4, which int8 and uint8 hold; nodes but Cast and QuantizeLinear pass it on. */
  hasFourBits(name: string): boolean {
    const constant = this.graph.constants.get(name);
    if (constant) return constant.packed !== undefined;
    const input = this.graph.inputs.find((candidate) => candidate.name === name);
    if (input) return input.fourBits === true;
    const node = this.graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (!node) return false;
    const code = node.op === 'Cast' ? intAttribute(node, 'to', 1) : undefined;
    if (code !== undefined) return isFourBits(code);
    if (node.op.endsWith('DequantizeLinear')) return false;
    const quantizes = node.op.endsWith('QuantizeLinear');
    const given = quantizes ? intAttribute(node, 'output_dtype', 0) : 0;
    if (given !== 0) return isFourBits(given);
    const from = node.inputs[quantizes ? 2 : node.op === 'CastLike' ? 1 : 0] ?? '';
    return from !== '' && this.hasFourBits(from);
  }

  /** Throws unless the value has one of these types. */
  requireType(name: string, ...types: DTypeName[]): void {
    const dtype = this.dtype(name);
    if (types.includes(dtype)) return;
    throw new UnsupportedNode(
      `works on ${dtype}, supported: ${types.join(', ')}`,
      dtype === 'float16' || dtype === 'float64'
        ? 'export the model in float32'
        : 'cast to a supported type in the model',
    );
  }

  /** Throws unless the operation takes inputs of these types. */
  private requireDescribed(op: OpName, inputs: readonly string[]): void {
    const { inputs: types, variadic } = operators[op];
    inputs.forEach((name, index) => {
      const taken = types[index] ?? (variadic ? types.at(-1) : undefined);
      if (name !== '' && taken) this.requireType(name, ...taken);
    });
  }

  private addValue(value: ProgramValue): string {
    this.program.values.set(value.name, value);
    return value.name;
  }
  private fresh(base: string): string {
    const taken = {
      has: (name: string) => this.program.values.has(name) || this.facts.has(name),
    };
    return freshName(taken, base);
  }

  /** A new value that is computed. */
  temporary(base: string, dtype: DTypeName, dims: readonly Dim[]): string {
    const shapes = new Shapes(dims, this.sizes);
    return this.addValue({ name: this.fresh(base), dtype, shapes });
  }
  /** A value of the graph that was a constant and is now computed. */
  temporaryNamed(name: string, { dtype, dims }: Constant): void {
    this.addValue({ name, dtype, shapes: fixedShapes(dims) });
  }
  /** A value as int64, by a Cast where it is of another type. */
  asInt64(node: GraphNode, name: string): string {
    if (this.dtype(name) === 'int64') return name;
    const cast = this.temporary(`${name}/int64`, 'int64', this.dims(name));
    this.add('Cast', node, [name], [cast], { to: 'int64' });
    return cast;
  }
  /** A value of halves as f32: a constant, or a new value that a Cast makes. */
  widened(node: GraphNode, name: string): string {
    const known = this.wide.get(name);
    if (known !== undefined) return known;
    const constant = this.constant(name);
    let wide: string;
    if (constant) {
      wide = this.fresh(`${name}/float32`);
      const widened = widenedConstant(constant);
      this.made.set(wide, widened);
      this.addValue({
        name: wide,
        dtype: 'float32',
        shapes: fixedShapes(constant.dims),
        weight: { kind: 'plain', constant: widened },
      });
    } else {
      wide = this.temporary(`${name}/float32`, 'float32', this.dims(name));
      this.add('Cast', node, [name], [wide], { to: 'float32' });
    }
    this.wide.set(name, wide);
    return wide;
  }
  /** Takes a value of the graph, which a node gives, for a constant. */
  define(name: string, constant: Constant): void {
    this.made.set(name, constant);
    const { dtype, dims } = constant;
    const weight: Weight = { kind: 'plain', constant };
    this.addValue({ name, dtype, shapes: fixedShapes(dims), weight });
  }
  /** A new constant. */
  weight(base: string, weight: Weight): string {
    const dims = weightDims(weight);
    const dtype = weight.kind === 'plain' ? weight.constant.dtype : 'float32';
    return this.addValue({
      name: this.fresh(base),
      dtype,
      shapes: fixedShapes(dims),
      weight,
    });
  }
  ints(base: string, values: readonly number[]): string {
    return this.weight(base, { kind: 'plain', constant: intConstant([values.length], values) });
  }
  /** A new constant of any type of numbers. */
  numbers(
    base: string,
    dtype: DTypeName,
    dims: readonly number[],
    values: readonly number[],
  ): string {
    return this.weight(base, { kind: 'plain', constant: numberConstant(dtype, dims, values) });
  }
  floats(base: string, dims: readonly number[], values: ArrayLike<number>): string {
    return this.weight(base, { kind: 'plain', constant: floatConstant(dims, values) });
  }

  /** Makes a value of the graph known to the program, constants as they are. */
  import(name: string): void {
    if (name === '' || this.program.values.has(name)) return;
    this.addValue(this.value(name));
  }

  /** Appends an operation; its inputs and outputs are values of the graph or of {@link temporary}. */
  add<Op extends OpName>(
    op: Op,
    node: GraphNode,
    inputs: string[],
    outputs: string[],
    attributes: OpAttributes[Op],
  ): void {
    for (const name of [...inputs, ...outputs]) this.import(name);
    this.requireDescribed(op, inputs);
    this.program.nodes.push({ op, name: node.name, inputs, outputs, attributes } as ProgramNode);
  }

  /** Numbers of a constant input, or of the attribute that older operator sets have in its place. */
  constantInts(node: GraphNode, input: number, attribute?: string): readonly number[] | undefined {
    const value = attribute === undefined ? undefined : node.attributes.get(attribute);
    if (value?.kind === 'ints') return value.value;
    if (value?.kind === 'int') return [value.value];
    const constant = this.constant(node.inputs[input]);
    return constant && (constant.dtype === 'int64' || constant.dtype === 'int32')
      ? allInts(constant)
      : undefined;
  }
  /** The input's name, or of a new constant from the attribute that older operator sets have. */
  intsInput(node: GraphNode, input: number, attribute: string): string {
    const value = node.attributes.get(attribute);
    if (value?.kind === 'ints') return this.ints(`${node.name}/${attribute}`, value.value);
    return node.inputs[input] ?? '';
  }
  /** A constant's f32 numbers; undefined where it is computed. */
  constantFloats(name: string | undefined): Float32Array | undefined {
    const constant = this.constant(name);
    return constant?.dtype === 'float32' ? allFloats(constant) : undefined;
  }
}

/** An epilogue with some of its parts given. */
export function epilogue(parts: Partial<Epilogue> = {}): Epilogue {
  return { ...noEpilogue, ...parts };
}
