import type { DTypeName, OpAttributes } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { floats, random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import { operatorContract, type ContractCase } from './contract.js';

type Kind = OpAttributes['SpatialPool']['kind'];
interface Form {
  strides?: number[];
  pads?: number[];
  dilations?: number[];
  ceil?: boolean;
  columnMajor?: boolean;
  places?: boolean;
}

function pooled(
  kind: Exclude<Kind, 'sum'>,
  x: TestTensor,
  kernel: number[],
  { strides, pads, dilations, ceil = false, columnMajor = false, places = false }: Form = {},
): ContractCase<'SpatialPool'> {
  const filled = (value: number, count = kernel.length) => Array<number>(count).fill(value);
  const isMax = kind === 'max';
  return {
    name: `${kind} of ${x.dtype}[${x.dims.join()}] over ${kernel.join()}${places ? ' with places' : ''}`,
    attributes: {
      kind,
      ceilMode: ceil,
      columnMajor,
      window: [
        ...kernel,
        ...(strides ?? filled(1)),
        ...(pads ?? filled(0, 2 * kernel.length)),
        ...(dilations ?? filled(1)),
      ],
    },
    inputs: [x],
    onnx: {
      type: isMax ? 'MaxPool' : 'AveragePool',
      opset: dilations && !isMax ? 19 : 12,
      attributes: {
        kernel_shape: kernel,
        ...(strides && { strides }),
        ...(pads && { pads }),
        ...(dilations && { dilations }),
        ...(ceil && { ceil_mode: 1 }),
        ...(columnMajor && { storage_order: 1 }),
        ...(kind === 'meanWithPads' && { count_include_pad: 1 }),
      },
      outputs: places ? [x.dtype, 'int64'] : [x.dtype],
    },
    ...(isMax && { tolerance: 0 }),
  };
}

const bytes = (dtype: DTypeName, least: number): TestTensor => ({
  dtype,
  dims: [1, 2, 6, 5],
  data: Array.from({ length: 60 }, (_, index) => least + ((index * 37) % 251)),
});
const image = random([2, 3, 9, 8]);
const volume = random([2, 2, 5, 6, 7]);

const third = (value: number, index: number): number =>
  index % 3 === 0 ? NaN : index % 7 === 0 ? -Infinity : value;
const odd = floats([1, 2, 5, 6], Array.from(random([60], 5).data, third));
const cube = floats([1, 2, 3, 2, 5], odd.data);

operatorContract(
  'SpatialPool',
  [
    pooled('max', image, [3, 3], { places: true }),
    pooled('max', image, [2, 3], { strides: [2, 2], pads: [1, 1, 1, 1], places: true }),
    pooled('max', image, [3, 2], { places: true, columnMajor: true }),
    pooled('max', image, [2, 2], { dilations: [2, 3], places: true }),
    pooled('max', random([2, 3, 20]), [4], { strides: [3], places: true, ceil: true }),
    pooled('max', volume, [2, 3, 2], { strides: [2, 1, 3], pads: [1, 1, 0, 0, 1, 1] }),
    pooled('max', volume, [2, 2, 2], { places: true, columnMajor: true }),
    pooled('max', floats([1, 1, 2, 3], [-1, 1, -Infinity, 2, Infinity, 0]), [2, 2], {
      places: true,
    }),
    // NaN, and what is below every number.
    pooled('max', odd, [2, 3], { pads: [1, 1, 1, 1], places: true }),
    pooled('max', odd, [2, 2], { dilations: [2, 2], pads: [1, 1, 1, 1] }),
    pooled('max', { ...odd, dtype: 'float64' }, [2, 2], { strides: [1, 2] }),
    pooled('max', { ...odd, dtype: 'float64' }, [3, 3], { pads: [1, 1, 1, 1], places: true }),
    pooled('max', cube, [2, 1, 2], { pads: [1, 0, 1, 1, 0, 1], places: true }),
    pooled('max', cube, [2, 2, 2], { dilations: [1, 1, 2] }),
    pooled('max', floats([1, 1, 1, 1, 4], [NaN, 1, 2, -Infinity]), [1, 1, 2]),
    pooled('max', floats([1, 1, 1, 1, 2], [-Infinity, -Infinity]), [1, 1, 2]),
    pooled('max', bytes('uint8', 0), [2, 2], { strides: [2, 2] }),
    pooled('max', bytes('int8', -128), [3, 2], { pads: [1, 1, 1, 1] }),
    pooled('max', { ...random([1, 2, 4, 4]), dtype: 'float64' }, [2, 2], { places: true }),
    pooled('mean', volume, [2, 3, 2], { strides: [2, 1, 3], pads: [1, 1, 0, 0, 1, 1] }),
    pooled('meanWithPads', volume, [3, 3, 3], { strides: [2, 2, 2], pads: [1, 1, 1, 1, 1, 1] }),
    pooled('mean', random([1, 1, 1, 1, 1]), [1, 1, 1]),
  ],
  [
    {
      name: 'images',
      attributes: {
        kind: 'max',
        ceilMode: false,
        columnMajor: false,
        window: [5, 5, 1, 1, 2, 2, 2, 2, 1, 1],
      },
      inputs: [patterned([1, 8, 256, 256])],
      outputs: 2,
    },
    {
      name: 'one long line',
      attributes: { kind: 'mean', ceilMode: false, columnMajor: false, window: [3, 1, 0, 0, 1] },
      inputs: [patterned([1, 1, 2_000_000])],
    },
  ],
);
