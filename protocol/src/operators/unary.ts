import type { DTypeName } from '../dtype.js';
import { f32, oneOf } from './attribute.js';
import { operator } from './description.js';
import { Activation } from './epilogue.js';

/** Kinds of Unary. f32 unless said otherwise. */
export const UnaryKind = {
  ...Activation,
  erf: 16,
  exp: 17,
  log: 18,
  sqrt: 19,
  reciprocal: 20,
  neg: 21,
  abs: 22,
  floor: 23,
  ceil: 24,
  /** half to even */
  round: 25,
  sign: 26,
  sin: 27,
  cos: 28,
  softplus: 29,
  /** bool */
  not: 30,
  /** alpha * x + beta */
  affine: 31,
} as const;
export type UnaryName = keyof typeof UnaryKind;

const types: readonly DTypeName[] = ['float32', 'int32', 'int64', 'bool'];

/** A function of each element. */
export const unary = operator({
  code: 6,
  name: 'Unary',
  attributes: { kind: oneOf(UnaryKind), alpha: f32, beta: f32 },
  inputs: [types],
  outputs: [0],
  inPlace: [0],
});
