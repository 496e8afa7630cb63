import type { DTypeName } from '../dtype.js';
import { oneOf } from './attribute.js';
import { operator } from './description.js';
import { epilogue } from './epilogue.js';

/** Kinds of Binary. Comparisons give bool; the rest the type of their inputs (f32, i32, i64; and/or/xor bool). */
export const BinaryKind = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  pow: 4,
  min: 5,
  max: 6,
  equal: 8,
  less: 9,
  lessOrEqual: 10,
  greater: 11,
  greaterOrEqual: 12,
  and: 13,
  or: 14,
  xor: 15,
  prelu: 16,
} as const;
export type BinaryName = keyof typeof BinaryKind;

const types: readonly DTypeName[] = ['float32', 'int32', 'int64', 'bool'];

/** Two inputs, broadcast as numpy does; the epilogue is for f32 results only. */
export const binary = operator({
  code: 5,
  name: 'Binary',
  attributes: { kind: oneOf(BinaryKind), epilogue },
  inputs: [types, types],
  outputs: [undefined],
  inPlace: 'sameShape',
});
