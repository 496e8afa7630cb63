import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { zeros } from './tensors.js';

interface Form {
  kernel: [number, number];
  sizes: [number, number];
  positions: [number, number];
  channels?: number;
  offsetGroups?: number;
  strides?: [number, number];
  pads?: [number, number, number, number];
  dilations?: [number, number];
  masked?: boolean;
}

/** Columns are what a convolution gives whose filters take one tap of one channel each. */
function plain(name: string, form: Form): ContractCase<'DeformIm2Col'> {
  const { kernel, sizes, positions, channels = 2, offsetGroups = 1, masked = false } = form;
  const { strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1] } = form;
  const taps = kernel[0] * kernel[1];
  const depth = channels * taps;
  const x = random([2, channels, ...sizes]);
  const offset = random([2, offsetGroups * taps * 2, ...positions], 3, 2);
  const mask = masked ? random([2, offsetGroups * taps, ...positions], 5) : undefined;
  const identity = new Float32Array(depth * depth);
  for (let i = 0; i < depth; i++) identity[i * depth + i] = 1;
  const filter: TestTensor = floats([depth, channels, ...kernel], identity);
  const inputs = mask ? [x, offset, mask] : [x, offset];
  return {
    name,
    attributes: {
      group: 1,
      offsetGroups,
      window: [...kernel, ...strides, ...pads, ...dilations],
    },
    inputs,
    onnx: {
      type: 'DeformConv',
      opset: 19,
      inputs: mask ? [x, filter, offset, undefined, mask] : [x, filter, offset],
      attributes: { kernel_shape: kernel, strides, pads, dilations, offset_group: offsetGroups },
    },
    shape: [2, 1, depth, positions[0] * positions[1]],
  };
}

operatorContract(
  'DeformIm2Col',
  [
    plain('one tap', { kernel: [1, 1], sizes: [3, 4], positions: [3, 4] }),
    plain('overlapping', { kernel: [2, 3], sizes: [5, 6], positions: [4, 4] }),
    plain('pads and strides', {
      ...{ kernel: [3, 3], sizes: [5, 6], positions: [3, 3] },
      ...{ strides: [2, 2], pads: [1, 1, 1, 0] },
    }),
    plain('factors, two groups of offsets, dilations', {
      ...{ kernel: [2, 2], sizes: [5, 6], positions: [3, 5], channels: 4 },
      ...{ offsetGroups: 2, masked: true, dilations: [2, 1] },
    }),
  ],
  [
    {
      name: 'many channels',
      attributes: { group: 1, offsetGroups: 1, window: [1, 1, 1, 1, 0, 0, 0, 0, 1, 1] },
      inputs: [zeros('float32', [1, 300000, 1, 2]), zeros('float32', [1, 2, 1, 2])],
    },
    {
      name: 'many positions',
      attributes: { group: 1, offsetGroups: 1, window: [3, 3, 1, 1, 1, 1, 1, 1, 1, 1] },
      inputs: [zeros('float32', [1, 2, 96, 96]), zeros('float32', [1, 18, 96, 96])],
    },
  ],
);
