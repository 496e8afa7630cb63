import type { DTypeName } from '../dtype.js';
import type { AttributeList } from './attribute.js';

/** What a worker has to know to run an operator, and everybody else to write a node of it. */
export interface OperatorDescription<
  Name extends string = string,
  List extends AttributeList = AttributeList,
> {
  /** Number in shards. Never changes, and is never used again. */
  readonly code: number;
  /**
   * Its name, as in ONNX where it does what the operator of that name does. The worker's file is
   * `worker/assembly/ops/` and the name in kebab case, its function the name in camel case.
   */
  readonly name: Name;
  /** Attributes in the order of their words. */
  readonly attributes: List;
  /** Element types that each input may have. An operator may be narrower for some attributes. */
  readonly inputs: readonly (readonly DTypeName[])[];
  /** Whether the last of {@link inputs} stands for any number of them. */
  readonly variadic?: true;
  /** Type of each output: that of an input by its index, one type, or (undefined) one that an attribute names. */
  readonly outputs: readonly (number | DTypeName | undefined)[];
  /**
   * Inputs whose memory the first output may take over where nobody reads them later, the first choice
   * first; `'sameShape'`: any input of the output's type and shape.
   */
  readonly inPlace?: readonly number[] | 'sameShape';
}

/** Describes an operator; keeps its name and the types of its attributes. */
export function operator<const Name extends string, const List extends AttributeList>(
  description: OperatorDescription<Name, List>,
): OperatorDescription<Name, List> {
  return description;
}
