import type { OpAttributes } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

type Attributes = OpAttributes['GridSample'];

function sampled(
  x: TestTensor,
  grid: TestTensor,
  mode: Attributes['mode'],
  padding: Attributes['padding'] = 'zeros',
  alignCorners = false,
): ContractCase<'GridSample'> {
  const corners = alignCorners ? ', corners aligned' : '';
  return {
    name: `${mode}, ${padding}${corners}, of [${x.dims.join()}] at [${grid.dims.join()}]`,
    attributes: { mode, padding, alignCorners },
    inputs: [x, grid],
    onnx: {
      type: 'GridSample',
      attributes: { mode, padding_mode: padding, align_corners: Number(alignCorners) },
      opset: 20,
    },
  };
}

const image = random([2, 3, 5, 7]);
/** Places inside and far outside. */
const places = random([2, 4, 6, 2], 2, 3.5);
const volume = random([2, 2, 3, 4, 5]);
const inVolume = random([2, 2, 3, 2, 3], 3, 2.5);
const modes = ['nearest', 'linear', 'cubic'] as const;
const paddings = ['zeros', 'border', 'reflection'] as const;

operatorContract(
  'GridSample',
  [
    ...modes.flatMap((mode) =>
      paddings.flatMap((padding) =>
        [false, true].map((corners) => sampled(image, places, mode, padding, corners)),
      ),
    ),
    ...modes
      .slice(0, 2)
      .flatMap((mode) => paddings.map((padding) => sampled(volume, inVolume, mode, padding))),
    sampled(volume, inVolume, 'linear', 'reflection', true),
    sampled(random([1, 1, 1, 1]), random([1, 2, 2, 2], 4), 'linear', 'border', true),
    sampled(random([0, 2, 3, 3]), random([0, 2, 2, 2]), 'linear'),
    sampled(floats([1, 1, 2, 2], [NaN, 1, Infinity, 2]), random([1, 2, 2, 2]), 'linear', 'border'),
  ],
  [
    {
      name: 'many places',
      attributes: { mode: 'cubic', padding: 'zeros', alignCorners: false },
      inputs: [patterned([1, 2, 64, 64]), patterned([1, 150, 150, 2])],
    },
    {
      name: 'many channels',
      attributes: { mode: 'linear', padding: 'border', alignCorners: true },
      inputs: [patterned([1, 100_000, 2, 2]), patterned([1, 1, 5, 2])],
    },
  ],
);
