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
import { broadcast, same, type Dim } from './dim.js';
import { fromFront, NotDerivable, type Facts } from './facts.js';

/**
 * Facts of a node's outputs, in their order, from those of its inputs. Throws {@link NotDerivable}
 * where they depend on data.
 */
export type Rule = (op: Operation) => (Facts | undefined)[];

/** Two sizes that a model needs to be the same, or to broadcast. */
export interface Condition {
  node: GraphNode;
  kind: 'same' | 'broadcast';
  left: Dim;
  right: Dim;
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
  /** The attribute `axis` or the like, counted from the front. */
  axis(name: string, otherwise: number, rank: number): number {
    return fromFront(this.int(name, otherwise), rank);
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

  /** A size of an output that depends on data. */
  open(output: number, axis: number): Dim {
    return this.around.openSize(this.node.outputs[output] ?? '', axis);
  }

  /** Notes that the model only runs where two sizes are the same. */
  requireSame(left: Dim, right: Dim): void {
    if (same(left, right)) return;
    this.around.conditions.push({ node: this.node, kind: 'same', left, right });
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

/** The same rule under several names. */
export function rulesFor(rule: Rule, ...names: string[]): Record<string, Rule> {
  return Object.fromEntries(names.map((name) => [name, rule]));
}
