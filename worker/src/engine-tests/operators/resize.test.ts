import type { OpAttributes } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { floats, ints, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';
import { longs } from './tensors.js';

type Attributes = OpAttributes['Resize'];

const plain: Attributes = {
  mode: 'nearest',
  coordinates: 'half_pixel',
  nearest: 'round_prefer_floor',
  policy: 'stretch',
  antialias: false,
  excludeOutside: false,
  cubicA: -0.75,
  extrapolation: 0,
  axes: [2, 3],
};

/** Scales where `to` are no whole numbers, sizes where they are called so. */
function resized(
  x: TestTensor,
  to: { scales: number[] } | { sizes: number[] },
  parts: Partial<Attributes> = {},
  region?: number[],
): ContractCase<'Resize'> {
  const attributes = { ...plain, ...parts };
  const numbers = 'scales' in to ? to.scales : to.sizes;
  const inputs = [
    x,
    region && floats([region.length], region),
    'scales' in to ? floats([numbers.length], numbers) : undefined,
    ...('sizes' in to ? [ints(numbers)] : []),
  ];
  return {
    name: `${JSON.stringify(parts)} ${x.dtype}[${x.dims.join()}] ${JSON.stringify(to)}`,
    attributes,
    inputs,
    onnx: {
      type: 'Resize',
      opset: 19,
      inputs,
      attributes: {
        mode: attributes.mode,
        coordinate_transformation_mode: attributes.coordinates,
        ...(attributes.mode === 'nearest' && { nearest_mode: attributes.nearest }),
        keep_aspect_ratio_policy: attributes.policy,
        antialias: Number(attributes.antialias),
        exclude_outside: Number(attributes.excludeOutside),
        cubic_coeff_a: { float: attributes.cubicA },
        extrapolation_value: { float: attributes.extrapolation },
        axes: attributes.axes,
      },
    },
    tolerance: attributes.mode === 'nearest' ? 0 : 1e-5,
  };
}

const image = random([1, 3, 7, 6]);
const up = { scales: [2, 2] };
const odd = { sizes: [11, 4] };
const modes = ['nearest', 'linear', 'cubic'] as const;
const coordinates = [
  'half_pixel',
  'asymmetric',
  'pytorch_half_pixel',
  'align_corners',
  'half_pixel_symmetric',
] as const;

operatorContract(
  'Resize',
  [
    ...modes.flatMap((mode) =>
      coordinates.flatMap((coordinates) => [
        resized(image, up, { mode, coordinates }),
        resized(image, odd, { mode, coordinates }),
      ]),
    ),
    ...(['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const).flatMap(
      (nearest) => [
        resized(image, { scales: [1.5, 0.6] }, { nearest }),
        resized(image, up, { nearest, coordinates: 'asymmetric' }),
        resized(image, odd, { nearest, coordinates: 'tf_half_pixel_for_nn' }),
      ],
    ),
    ...modes.map((mode) =>
      resized(
        image,
        { sizes: [5, 8] },
        { mode, coordinates: 'tf_crop_and_resize', extrapolation: 7.5 },
        [-0.2, 0.1, 0.7, 1.3],
      ),
    ),
    ...(['linear', 'cubic'] as const).flatMap((mode) => [
      resized(image, { sizes: [3, 4] }, { mode, antialias: true }),
      resized(image, { scales: [0.4, 0.7] }, { mode, antialias: true, excludeOutside: true }),
      resized(image, { sizes: [12, 3] }, { mode, antialias: true }),
    ]),
    resized(image, { scales: [0.4, 1.9] }, { mode: 'cubic', excludeOutside: true, cubicA: -0.5 }),
    resized(image, { sizes: [20, 9] }, { policy: 'not_larger' }),
    resized(image, { sizes: [20, 9] }, { policy: 'not_smaller', mode: 'linear' }),
    resized(image, { sizes: [7, 6] }, { mode: 'linear' }),
    resized(image, { scales: [1, 3] }, { mode: 'linear' }),
    resized(random([2, 5, 4, 3]), { scales: [2, 2] }, { axes: [1, 2] }),
    resized(random([1, 2, 3, 4, 5]), { scales: [2, 0.5, 1.4] }, { axes: [2, 3, 4] }),
    resized({ dtype: 'uint8', dims: [1, 1, 2, 3], data: [1, 2, 3, 250, 251, 252] }, up),
    resized({ dtype: 'int32', dims: [1, 1, 2, 3], data: [1, -2, 3, 4, 5, -6] }, odd),
    resized(random([1, 1, 1, 1]), { scales: [3, 5] }, { mode: 'linear' }),
  ],
  [
    {
      name: 'lines',
      attributes: { ...plain, mode: 'cubic' },
      inputs: [patterned([1, 4, 300, 300]), undefined, undefined, longs([700, 500])],
    },
    {
      name: 'long rows',
      attributes: { ...plain, mode: 'linear', axes: [0] },
      inputs: [patterned([2, 2_000_000]), undefined, undefined, longs([3])],
    },
    {
      name: 'one long axis',
      attributes: { ...plain, axes: [0] },
      inputs: [patterned([500_000]), undefined, undefined, longs([1_500_000])],
    },
  ],
);
