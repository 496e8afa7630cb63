import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

const boxes = floats([4, 5], [0, 0, 0, 9, 9, 1, 1.5, 2.5, 7, 8, 1, 4, 4, 2, 2, 0, 3, 3, 30, 12]);

function plain(
  name: string,
  [height, width]: [number, number],
  scale: number,
  inputs: TestTensor[] = [random([2, 3, 10, 11]), boxes],
): ContractCase<'MaxRoiPool'> {
  return {
    name,
    attributes: { height, width, scale },
    inputs,
    onnx: {
      type: 'MaxRoiPool',
      attributes: { pooled_shape: [height, width], spatial_scale: { float: scale } },
    },
    tolerance: 0,
  };
}

operatorContract(
  'MaxRoiPool',
  [
    plain('bins', [3, 2], 1),
    plain('scaled', [2, 5], 0.5),
    plain('one bin', [1, 1], 1),
    plain('no boxes', [2, 2], 1, [random([1, 2, 4, 4]), random([0, 5])]),
  ],
  [
    {
      name: 'one bin of many pixels',
      attributes: { height: 1, width: 1, scale: 1000 },
      inputs: [
        zeros('float32', [1, 1, 2000, 2000]),
        {
          dtype: 'float32',
          dims: [1, 5],
          bytes: new Uint8Array(Float32Array.of(0, 0, 0, 9, 9).buffer),
        },
      ],
    },
  ],
);
