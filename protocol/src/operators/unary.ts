import { f32, oneOf } from './attribute.js';
import { operator } from './description.js';
import { Activation } from './epilogue.js';
import { numbers } from './types.js';

/**
 * Kinds of Unary. f32 and f64 unless said otherwise, erf and gelu of f32 only; relu, neg, abs and sign
 * also of integers.
 */
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
  acos: 32,
  acosh: 33,
  asin: 34,
  asinh: 35,
  atan: 36,
  atanh: 37,
  cosh: 38,
  sinh: 39,
  tan: 40,
  /** x < 0 ? alpha * (exp(x) - 1) : x */
  elu: 41,
  /** beta * (x > 0 ? x : alpha * (exp(x) - 1)) */
  selu: 42,
  /** x > 0 ? x : alpha * (exp(x / alpha) - 1) */
  celu: 43,
  /** x > alpha ? x : 0 */
  thresholdedRelu: 44,
  softsign: 45,
  mish: 46,
  /** x < -beta ? x + alpha : x > beta ? x - alpha : 0 */
  shrink: 47,
  /** gelu with a tanh in place of erf */
  geluTanh: 48,
  /** integers */
  bitwiseNot: 49,
} as const;
export type UnaryName = keyof typeof UnaryKind;

/** A function of each element. */
export const unary = operator({
  code: 6,
  name: 'Unary',
  attributes: { kind: oneOf(UnaryKind), alpha: f32, beta: f32 },
  inputs: [[...numbers, 'bool']],
  outputs: [0],
  inPlace: [0],
});
