import { bool, u32 } from './attribute.js';
import { operator } from './description.js';
import { integerAttributes, integerInputs } from './integer-linear.js';
import { bytes } from './types.js';
import { windowAttributes } from './window.js';

/**
 * X [n,h,w,inC] and filters, each less its zero point; then as IntegerLinear. Filters are packed, a matrix
 * [kernelH * kernelW * inC / group, outC / group] for each group, or a tensor [outC, kernelH, kernelW, inC / group].
 */
export const integerConv = operator({
  code: 64,
  name: 'IntegerConv',
  attributes: {
    ...windowAttributes,
    ...integerAttributes,
    packed: bool,
    group: u32,
    inChannels: u32,
    outChannels: u32,
  },
  inputs: [bytes, bytes, ...integerInputs],
  outputs: [undefined],
});
