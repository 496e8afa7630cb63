import { bool } from './attribute.js';
import { operator } from './description.js';
import { bytes, float32 } from './types.js';
import { windowAttributes } from './window.js';

/** X [n,h,w,c]. */
export const maxPool = operator({
  code: 11,
  name: 'MaxPool',
  attributes: { ...windowAttributes, ceilMode: bool },
  inputs: [[...float32, ...bytes]],
  outputs: [0],
});
