import { oneOf } from './attribute.js';
import { operator } from './description.js';
import { anyType, indexTypes } from './types.js';

/** What stands around the padded tensor. */
export const PadMode = { constant: 0, reflect: 1, edge: 2, wrap: 3 } as const;

/** X, pads (negative: cut), value? */
export const pad = operator({
  code: 27,
  name: 'Pad',
  attributes: { mode: oneOf(PadMode) },
  inputs: [anyType, indexTypes, anyType],
  outputs: [0],
});
