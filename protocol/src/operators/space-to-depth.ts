import { u32 } from './attribute.js';
import { operator } from './description.js';
import { anyType } from './types.js';

/** X [n,c,h,w] to [n,c*b*b,h/b,w/b]. */
export const spaceToDepth = operator({
  code: 38,
  name: 'SpaceToDepth',
  attributes: { block: u32 },
  inputs: [anyType],
  outputs: [0],
});
