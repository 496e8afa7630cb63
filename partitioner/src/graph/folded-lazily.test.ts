import { expect, it } from 'vitest';
import { floatConstant, memoryConstant } from './constant.js';
import { foldedLazily } from './folded-lazily.js';
import { makeNode } from './graph.js';

it('a zero point that is computed is not taken for none', () => {
  const constants = new Map([
    ['q', memoryConstant('int8', [2, 3], new Uint8Array(6))],
    ['scale', floatConstant([], [0.5])],
  ]);
  const of = (inputs: string[]) =>
    foldedLazily(makeNode('DequantizeLinear', 'dequantize', inputs, ['w']), constants);
  expect(of(['q', 'scale', 'computed'])).toBeUndefined();
  expect(of(['q', 'scale'])).toMatchObject({ dtype: 'float32', dims: [2, 3] });
  expect(of(['q', 'scale', ''])).toBeDefined();
});
