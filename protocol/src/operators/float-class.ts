import type { DTypeName } from '../dtype.js';
import { oneOf } from './attribute.js';
import { operator } from './description.js';

/** What is told of a number. */
export const FloatClass = {
  nan: 0,
  infinite: 1,
  positiveInfinity: 2,
  negativeInfinity: 3,
} as const;
export type FloatClassName = keyof typeof FloatClass;

const types: readonly DTypeName[] = ['float32', 'float64'];

/** Whether each element is of a class. */
export const floatClass = operator({
  code: 30,
  name: 'FloatClass',
  attributes: { kind: oneOf(FloatClass) },
  inputs: [types],
  outputs: ['bool'],
});
