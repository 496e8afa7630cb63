import { bool, i32 } from './attribute.js';
import { operator } from './description.js';
import { numbers } from './types.js';

/**
 * The different parts of X along an axis; `flat`: its different elements. In their order where `sorted`, else
 * as they come first. Y, where each is first, which one each part is, and how often each is there.
 */
export const unique = operator({
  code: 42,
  name: 'Unique',
  attributes: { axis: i32, flat: bool, sorted: bool },
  inputs: [[...numbers, 'bool']],
  outputs: [0, 'int64', 'int64', 'int64'],
});
