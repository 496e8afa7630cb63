import type { OpAttributes } from '@canopy/protocol';
import { floats, ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { longs, zeros } from './tensors.js';

const boxes = floats([4, 4], [0, 0, 9, 9, 1.5, 2.25, 7, 8, -3, -2, 3, 30, 5, 5, 5.5, 4]);
const images = ints([0, 1, 1, 0]);
const x = random([2, 3, 10, 11]);

function plain(
  name: string,
  attributes: Partial<OpAttributes['RoiAlign']>,
  inputs: TestTensor[] = [x, boxes, images],
): ContractCase<'RoiAlign'> {
  const all = {
    ...{ height: 3, width: 2, samples: 2, scale: 1, halfPixel: true, largest: false },
    ...attributes,
  };
  return {
    name,
    attributes: all,
    inputs,
    onnx: {
      type: 'RoiAlign',
      opset: 16,
      attributes: {
        output_height: all.height,
        output_width: all.width,
        sampling_ratio: all.samples,
        spatial_scale: { float: all.scale },
        coordinate_transformation_mode: all.halfPixel ? 'half_pixel' : 'output_half_pixel',
        mode: all.largest ? 'max' : 'avg',
      },
    },
  };
}

operatorContract(
  'RoiAlign',
  [
    plain('means', {}),
    plain('the largest', { largest: true }),
    plain('as many samples as pixels', { samples: 0 }),
    plain('places that are not shifted', { halfPixel: false, samples: 0 }),
    plain('scaled', { scale: 0.5, height: 1, width: 5 }),
    plain('one bin', { height: 1, width: 1, samples: 1 }),
    plain('no boxes', {}, [x, random([0, 4]), ints([])]),
  ],
  [
    {
      name: 'many bins',
      attributes: { height: 64, width: 64, samples: 4, scale: 1, halfPixel: true, largest: false },
      inputs: [zeros('float32', [1, 16, 32, 32]), zeros('float32', [4, 4]), longs([0, 0, 0, 0])],
    },
  ],
);
