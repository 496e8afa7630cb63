import { bool, dtype, u32 } from './attribute.js';
import { operator } from './description.js';
import { bytes, float32 } from './types.js';

/** Of IntegerLinear and IntegerConv: what becomes of the sums, and how weights lie. */
export const integerAttributes = {
  /**
   * int32: the sums themselves. float32: times the factors, plus the offsets. int8, uint8: times the factors,
   * rounded half to even, plus the zero point of the result, saturated.
   */
  to: dtype,
  /** Whether packed weights are bytes less 128. */
  unsigned: bool,
};

/**
 * The zero points of both sides, int32 added to sums, factors, zero point of the result, offsets, and one number
 * that all factors are multiplied by.
 */
export const integerInputs = [bytes, bytes, ['int32'], float32, bytes, float32, float32] as const;

/**
 * A [.., K] x W [.., K, N], each less its zero point. W is packed as int8 of Linear where `n` is not 0, and
 * otherwise a tensor. Zero points of W, bias, factors and offsets are one number or N.
 */
export const integerLinear = operator({
  code: 63,
  name: 'IntegerLinear',
  attributes: { ...integerAttributes, k: u32, n: u32 },
  inputs: [bytes, bytes, ...integerInputs],
  outputs: [undefined],
});
