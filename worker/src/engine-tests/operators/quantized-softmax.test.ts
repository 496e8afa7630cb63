import { floats } from '../compare.js';
import { bytes, byteTypes, one, type ByteType } from './bytes.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

function softmax(
  type: ByteType,
  dims: readonly number[],
  axis: number,
  opset: number,
): ContractCase<'QuantizedSoftmax'> {
  const x = bytes(type, dims);
  const [scale, resultScale] = [one('float32', 0.07), one('float32', 1 / 256)];
  const zero = one(type, type === 'uint8' ? 0 : -128);
  return {
    name: `${type}[${dims.join()}] from ${axis} on, operator set ${opset}`,
    attributes: { axis },
    inputs: [x, scale, resultScale, zero],
    onnx: {
      type: 'QLinearSoftmax',
      domain: 'com.microsoft',
      inputs: [x, scale, one(type, 7), resultScale, zero],
      attributes: { axis, opset },
      outputs: [type],
    },
    tolerance: 0,
  };
}

operatorContract(
  'QuantizedSoftmax',
  byteTypes.flatMap((type) => [
    softmax(type, [5, 19], 1, 13),
    softmax(type, [2, 3, 7], 2, 13),
    softmax(type, [2, 3, 7], 1, 11),
    softmax(type, [3, 1], 1, 13),
  ]),
  [
    {
      name: 'rows',
      attributes: { axis: 1 },
      inputs: [
        zeros('uint8', [1000, 600]),
        ...[0.1, 0.004].map((value) => ({
          dtype: 'float32' as const,
          dims: [],
          bytes: new Uint8Array(Float32Array.from(floats([], [value]).data).buffer),
        })),
      ],
    },
  ],
);
