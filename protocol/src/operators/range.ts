import { operator } from './description.js';
import type { DTypeName } from '../dtype.js';

const rangeTypes: readonly DTypeName[] = ['float32', 'int64', 'int32'];

/** start, limit, delta: scalars. */
export const range = operator({
  code: 26,
  name: 'Range',
  attributes: {},
  inputs: [rangeTypes, rangeTypes, rangeTypes],
  outputs: [0],
});
