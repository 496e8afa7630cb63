import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';
import { DType, type DTypeName } from '@canopy/protocol';

function bits(x: TestTensor, to: DTypeName): ContractCase<'BitCast'> {
  return {
    name: `${x.dtype}[${x.dims.join()}] as ${to}`,
    attributes: { to },
    inputs: [x],
    onnx: { type: 'BitCast', opset: 26, attributes: { to: DType[to] }, outputs: [to] },
    tolerance: 0,
  };
}

const bytes = (dtype: DTypeName): TestTensor => ({
  dtype,
  dims: [2, 3],
  data: [0, 1, 2, 5, 77, 127],
});

operatorContract(
  'BitCast',
  [
    bits(random([2, 3]), 'int32'),
    bits(random([]), 'uint32'),
    bits(random([0, 4]), 'int32'),
    bits(bytes('int8'), 'uint8'),
    bits(bytes('uint16'), 'int16'),
    bits({ dtype: 'float64', dims: [3], data: [0.5, -2, Infinity] }, 'int64'),
    bits({ dtype: 'int64', dims: [2], data: [5, -9] }, 'uint64'),
  ],
  [{ name: 'large', attributes: { to: 'int32' }, inputs: [zeros('float32', [8_000_000])] }],
);
