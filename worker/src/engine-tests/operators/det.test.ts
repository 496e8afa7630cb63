import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

const plain = (name: string, x: TestTensor): ContractCase<'Det'> => ({
  name,
  attributes: {},
  inputs: [x],
  onnx: { type: 'Det', opset: 22 },
  tolerance: 1e-4,
});

operatorContract(
  'Det',
  [
    plain('one number', floats([1, 1], [-3])),
    plain('two by two', floats([2, 2], [0, 2, 3, 4])),
    plain('several', random([2, 3, 5, 5])),
    plain('a row that is another twice', floats([3, 3], [1, 2, 3, 2, 4, 6, 0, 1, 5])),
    plain('odd size', random([1, 9, 9])),
    plain('no matrices', random([0, 3, 3])),
  ],
  [
    { name: 'a large matrix', attributes: {}, inputs: [zerosButDiagonal(700)] },
    { name: 'many small ones', attributes: {}, inputs: [zeros('float32', [300000, 2, 2])] },
  ],
);

/** A matrix that takes all steps of the elimination. */
function zerosButDiagonal(n: number): { dtype: 'float32'; dims: number[]; bytes: Uint8Array } {
  const numbers = new Float32Array(n * n);
  for (let i = 0; i < n; i++) numbers[i * n + i] = 1;
  return { dtype: 'float32', dims: [n, n], bytes: new Uint8Array(numbers.buffer) };
}
