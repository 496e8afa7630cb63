import type { DTypeName, OpAttributes, OpName } from '@canopy/protocol';
import type { Work } from '../cost/work/work.js';
import type { Lower } from '../graph/lower/lowering.js';
import type { RowRule } from '../graph/rows/rule.js';
import type { Rule } from '../graph/shapes/operation.js';

/** An operator of a model, as ONNX or another domain defines it. */
export interface ModelOperator {
  /** Types and sizes of its results. */
  shape: Rule;
  /** Makes nodes of a worker's program of it. */
  lower: Lower;
  /** Element types it works on: of its first input, where inputs differ; for people. */
  types: readonly (DTypeName | 'any')[];
  /** What is not taken of the operator as its domain defines it; empty where all is. For people. */
  limits?: string;
}

/** A node of a program, at the sizes that are planned for. */
export interface NodeAt<Op extends OpName> {
  attributes: OpAttributes[Op];
  /** Shapes; `[]` where an input is left out. */
  inputs: readonly (readonly number[])[];
  outputs: readonly (readonly number[])[];
  /** Element types of the inputs; of one that is left out `undefined`. */
  dtypes: readonly (DTypeName | undefined)[];
}

/** What the planner knows of an operator of a worker's program, beside its description in the protocol. */
export interface ProgramOperator<Op extends OpName> {
  /** How its results depend on the rows of a request; asked for each output. */
  rows: RowRule<Op>;
  /** Inputs that are sizes, bounds or axes: they may be made of the number of rows. */
  sizeInputs?: readonly number[];
  /**
   * What its kernels do, beside the node itself.
   *
   * @param inPlace whether its first input is needed by no one else, so that its buffer can be taken over
   */
  work: (node: NodeAt<Op>, inPlace: boolean) => Work[];
  /** Multiply-adds; none where left out. */
  multiplyAdds?: (node: NodeAt<Op>) => number;
  /** Memory that its kernel takes while it runs, one size for each block; none where left out. */
  temporaries?: (node: NodeAt<Op>) => number[];
}

/** Operators of models that belong together, and those of programs that they become. */
export interface OperatorFamily {
  /** By name; those of other domains than ONNX's own with it in front, as in `com.microsoft.Gelu`. */
  model: Readonly<Record<string, ModelOperator>>;
  program: { readonly [Op in OpName]?: ProgramOperator<Op> };
}

/** The same under several names, which a space separates. */
export function named<Value>(names: string, value: Value): Record<string, Value> {
  return Object.fromEntries(names.split(' ').map((name) => [name, value]));
}
