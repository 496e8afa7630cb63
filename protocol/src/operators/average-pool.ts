import { bool } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';
import { windowAttributes } from './window.js';

/** X [n,h,w,c]. */
export const averagePool = operator({
  code: 12,
  name: 'AveragePool',
  attributes: { ...windowAttributes, ceilMode: bool, countIncludePad: bool },
  inputs: [float32],
  outputs: [0],
});
