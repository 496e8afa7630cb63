import { convAttributes } from './conv.js';
import { operator } from './description.js';
import { float32 } from './types.js';

/** Conv with one filter a channel; W [kernelH*kernelW, channels rounded up to 4]. */
export const depthwiseConv = operator({
  code: 3,
  name: 'DepthwiseConv',
  attributes: convAttributes,
  inputs: [float32, float32, float32],
  outputs: [0],
});
