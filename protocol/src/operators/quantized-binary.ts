import { oneOf } from './attribute.js';
import { operator } from './description.js';
import { bytes, float32 } from './types.js';

export const QuantizedBinaryKind = { add: 0, mul: 1 } as const;

/** A, B, broadcast as numpy does, then scale and zero point of A, of B and of the result. */
export const quantizedBinary = operator({
  code: 65,
  name: 'QuantizedBinary',
  attributes: { kind: oneOf(QuantizedBinaryKind) },
  inputs: [bytes, bytes, float32, bytes, float32, bytes, float32, bytes],
  outputs: [0],
});
