import { bool, u32 } from './attribute.js';
import { operator } from './description.js';
import { bools } from './types.js';

/** Condition of one element: so many nodes behind this one are left out, with what they give, unless it is `when`. */
export const branch = operator({
  code: 45,
  name: 'Branch',
  attributes: { when: bool, nodes: u32 },
  inputs: [bools],
  outputs: [],
});
