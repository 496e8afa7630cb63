import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

function dynamic(name: string, x: TestTensor): ContractCase<'DynamicQuantize'> {
  return {
    name,
    attributes: {},
    inputs: [x],
    onnx: { type: 'DynamicQuantizeLinear', outputs: ['uint8', 'float32', 'uint8'] },
    tolerance: 0,
  };
}

operatorContract(
  'DynamicQuantize',
  [
    dynamic('both signs', random([3, 37])),
    dynamic('above zero', floats([5], [1, 2, 3, 4, 5])),
    dynamic('below zero', floats([5], [-1, -2, -3, -4, -5])),
    dynamic('zeros', floats([4], [0, 0, 0, 0])),
    dynamic('one', floats([1], [0.25])),
  ],
  [{ name: 'many', attributes: {}, inputs: [patterned([4_000_000])], outputs: 3 }],
);
