import type { DTypeName } from '@canopy/protocol';
import { allFloats, type Constant } from '../constant.js';
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  stringAttribute,
  type Attribute,
  type GraphNode,
} from '../graph.js';
import { PartitionError } from '../../error.js';
import { broadcast, same, type Dim } from './dim.js';
import { fromFront, NotDerivable, type Facts } from './facts.js';

/**
 * Facts of a node's outputs, in their order, from those of its inputs. Throws {@link NotDerivable}
 * where they depend on data.
 */
export type Rule = (op: Operation) => (Facts | undefined)[];

/** Two sizes that a model needs to be the same, or to broadcast; or one that it needs to reach another. */
export interface Condition {
  node: GraphNode;
  kind: 'same' | 'broadcast' | 'atLeast';
  left: Dim;
  right: Dim;
  /** What `left` is, and `right`, for the error. */
  what?: { left: string; right: string };
}

/** Where {@link Operation} looks things up, and puts what it finds. */
export interface Surroundings {
  opset: number;
  factsOf(name: string): Facts | undefined;
  constants: ReadonlyMap<string, Constant>;
  conditions: Condition[];
  /** A size that only running the model tells: dimension `axis` of a value. */
  openSize(value: string, axis: number): Dim;
}

/** A node, with the questions that a rule asks. */
export class Operation {
  constructor(
    readonly node: GraphNode,
    private readonly around: Surroundings,
  ) {}

  /** Version of the standard's operator set. */
  get opset(): number {
    return this.around.opset;
  }
  /** Number of inputs given. */
  get inputs(): number {
    return this.node.inputs.length;
  }
  /** Number of outputs that have a place, named or not. */
  get outputs(): number {
    return this.node.outputs.length;
  }

  /** Whether an input is given. */
  has(input: number): boolean {
    return (this.node.inputs[input] ?? '') !== '';
  }
  /** Facts of an input; throws {@link NotDerivable} where it is left out or unknown. */
  facts(input: number): Facts {
    const facts = this.around.factsOf(this.node.inputs[input] ?? '');
    if (!facts) throw new NotDerivable(`input ${input} is unknown`);
    return facts;
  }
  dims(input: number): readonly Dim[] {
    return this.facts(input).dims;
  }
  rank(input: number): number {
    return this.dims(input).length;
  }
  dtype(input: number): DTypeName {
    return this.facts(input).dtype;
  }

  /** An integer attribute. */
  int(name: string, otherwise: number): number {
    return intAttribute(this.node, name, otherwise);
  }
  float(name: string, otherwise: number): number {
    return floatAttribute(this.node, name, otherwise);
  }
  string(name: string, otherwise: string): string {
    return stringAttribute(this.node, name, otherwise);
  }
  ints(name: string): readonly number[] | undefined {
    return intsAttribute(this.node, name);
  }
  attribute(name: string): Attribute | undefined {
    return this.node.attributes.get(name);
  }
  /** The attribute `axis` or the like, counted from the front; `most` is the last it may be. */
  axis(name: string, otherwise: number, rank: number, most = rank - 1): number {
    return this.fromFront(this.int(name, otherwise), rank, most);
  }
  /** An axis counted from the front. Throws {@link PartitionError} `bad-model` where there is none. */
  fromFront(axis: number, rank: number, most = rank - 1): number {
    const found = fromFront(axis, rank);
    if (found >= 0 && found <= most) return found;
    throw this.badModel(`names axis ${axis}, and there are ${rank} dimensions`);
  }
  /** The error of a node that cannot be, whatever the sizes. */
  badModel(why: string): PartitionError {
    return new PartitionError('bad-model', `${this.node.op} "${this.node.name}" ${why}`);
  }

  /** Elements of an input, as far as they follow from sizes; throws where nothing is known. */
  values(input: number): readonly (Dim | undefined)[] {
    const { values } = this.facts(input);
    if (!values) throw new NotDerivable(`input ${input} is computed from data`);
    return values;
  }
  /** Elements of an input that are plain numbers; throws where they are not. */
  numbers(input: number): readonly number[] {
    return this.values(input).map((value) => {
      if (typeof value !== 'number') throw new NotDerivable(`input ${input} is no constant`);
      return value;
    });
  }
  /** Numbers of an attribute or, in newer operator sets, of an input; undefined where left out. */
  numbersOf(attribute: string, input: number): readonly number[] | undefined {
    const given = this.ints(attribute);
    if (given) return given;
    return this.has(input) ? this.numbers(input) : undefined;
  }
  /** All numbers of an f32 constant; throws where it is computed. */
  floats(input: number): Float32Array {
    const constant = this.around.constants.get(this.node.inputs[input] ?? '');
    if (constant?.dtype !== 'float32') throw new NotDerivable(`input ${input} is no constant`);
    return allFloats(constant);
  }

  /** Whether an input is a constant of int4 or uint4. */
  isFourBits(input: number): boolean {
    return this.around.constants.get(this.node.inputs[input] ?? '')?.packed !== undefined;
  }

  /** A size of an output that depends on data. */
  open(output: number, axis: number): Dim {
    return this.around.openSize(this.node.outputs[output] ?? '', axis);
  }

  /** Notes that the model only runs where two sizes are the same. */
  requireSame(left: Dim, right: Dim): void {
    if (same(left, right)) return;
    this.around.conditions.push({ node: this.node, kind: 'same', left, right });
  }
  /** Notes that the model only runs where a size, `left`, is at least another. */
  requireAtLeast(left: Dim, right: Dim, what: Required<Condition>['what']): void {
    if (typeof left === 'number' && typeof right === 'number' && left >= right) return;
    this.around.conditions.push({ node: this.node, kind: 'atLeast', left, right, what });
  }
  /** Notes that input `input` must broadcast to `dims`, and adds no dimension and no size to them. */
  requireBroadcastsTo(input: number, dims: readonly Dim[]): void {
    const own = this.dims(input);
    own.forEach((size, axis) => {
      const at = axis + dims.length - own.length;
      if (at < 0) this.requireSame(size, 1);
      else if (typeof size !== 'number') this.broadcastSizes(size, dims[at]!);
      else if (size !== 1) this.requireSame(size, dims[at]!);
    });
  }
  /** One size of two that are broadcast together, which they must allow. */
  broadcastSizes(left: Dim, right: Dim): Dim {
    const whole = broadcast(left, right);
    if (left !== 1 && right !== 1 && !same(left, right)) {
      this.around.conditions.push({ node: this.node, kind: 'broadcast', left, right });
    }
    return whole;
  }
  /** Shape of inputs broadcast together, which their sizes must allow. */
  broadcast(...inputs: number[]): Dim[] {
    const shapes = inputs.map((input) => this.dims(input));
    const rank = Math.max(0, ...shapes.map((dims) => dims.length));
    return Array.from({ length: rank }, (_, axis) =>
      shapes.reduce<Dim>(
        (size, dims) => this.broadcastSizes(size, dims[axis - rank + dims.length] ?? 1),
        1,
      ),
    );
  }

  /** Facts of an output that is like an input, its elements aside. */
  like(input: number, dtype: DTypeName = this.dtype(input)): Facts {
    return { dtype, dims: this.dims(input) };
  }
}

/** A rule for one output with the shape of the first input. */
export function likeFirst(dtype?: DTypeName): Rule {
  return (op) => [op.like(0, dtype)];
}

/** A rule for one output with the shape of the first input, worked along `axis`. */
export const alongAxis: Rule = (op) => {
  op.axis('axis', -1, op.rank(0));
  return [op.like(0)];
};

/** The same rule under several names. */
export function rulesFor(rule: Rule, ...names: string[]): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}
