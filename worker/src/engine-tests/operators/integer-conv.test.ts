import { describe, expect, it } from 'vitest';
import { encodeAttributes, packInt8, type OpAttributes } from '@canopy/protocol';
import { floats } from '../compare.js';
import { Engine, type TestTensor } from '../engine.js';
import { onnxruntime } from '../onnxruntime.js';
import { bytes, byteTypes, one, type ByteType } from './bytes.js';
import { operatorContract } from './contract.js';
import { zeros } from './tensors.js';

/** A tensor in another order of dimensions. */
function transposed({ dtype, dims, data }: TestTensor, order: readonly number[]): TestTensor {
  const to = order.map((axis) => dims[axis]!);
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  const moved: number[] = [];
  const walk = (axis: number, at: number): void => {
    if (axis === to.length) moved.push(data[at]!);
    else for (let i = 0; i < to[axis]!; i++) walk(axis + 1, at + i * strides[order[axis]!]!);
  };
  walk(0, 0);
  return { dtype, dims: to, data: moved };
}

interface Case {
  name: string;
  x: readonly number[];
  w: readonly number[];
  types?: readonly [ByteType, ByteType];
  group?: number;
  strides?: [number, number];
  pads?: [number, number, number, number];
  dilations?: [number, number];
}

const cases: Case[] = [
  { name: 'a pixel', x: [2, 5, 3, 4], w: [6, 5, 1, 1] },
  { name: 'a window with pads', x: [2, 5, 6, 7], w: [10, 5, 3, 3], pads: [1, 2, 0, 1] },
  {
    name: 'strides and dilations',
    x: [1, 3, 9, 8],
    w: [4, 3, 3, 2],
    strides: [2, 3],
    dilations: [2, 1],
  },
  {
    name: 'dilations along rows',
    x: [1, 3, 9, 8],
    w: [4, 3, 2, 3],
    dilations: [1, 2],
    pads: [0, 1, 0, 1],
  },
  { name: 'groups', x: [1, 6, 5, 5], w: [9, 2, 3, 3], group: 3, pads: [1, 1, 1, 1] },
  { name: 'a channel each', x: [1, 7, 5, 5], w: [7, 1, 3, 3], group: 7, pads: [1, 1, 1, 1] },
  {
    name: 'many channels each by itself',
    x: [2, 37, 6, 7],
    w: [37, 1, 5, 3],
    group: 37,
    pads: [2, 1, 3, 0],
    strides: [2, 1],
    dilations: [1, 2],
    types: ['uint8', 'uint8'],
  },
  {
    name: 'long filters of one channel each',
    x: [1, 3, 20, 18],
    w: [3, 1, 18, 17],
    group: 3,
    types: ['int8', 'int8'],
  },
  {
    name: 'windows in the padding',
    x: [1, 24, 2, 3],
    w: [24, 24, 3, 3],
    pads: [3, 4, 3, 4],
    strides: [1, 1],
  },
  { name: 'many channels', x: [1, 40, 4, 4], w: [33, 40, 3, 3], types: ['int8', 'int8'] },
  { name: 'unsigned filters', x: [1, 4, 5, 5], w: [5, 4, 3, 3], types: ['uint8', 'uint8'] },
  { name: 'signed images', x: [1, 4, 5, 5], w: [5, 4, 2, 2], types: ['int8', 'uint8'] },
];

/** The words of a case, whose results have a type. */
function attributesOf(
  test: Case,
  to: OpAttributes['IntegerConv']['to'],
): OpAttributes['IntegerConv'] {
  const [outChannels, perGroup, height, width] = test.w as [number, number, number, number];
  const group = test.group ?? 1;
  return {
    kernel: [height, width],
    strides: test.strides ?? [1, 1],
    pads: test.pads ?? [0, 0, 0, 0],
    dilations: test.dilations ?? [1, 1],
    to,
    unsigned: false,
    packed: false,
    group,
    inChannels: perGroup * group,
    outChannels,
  };
}

function onnxAttributes({ group = 1, strides, pads, dilations }: Case) {
  return {
    group,
    ...(strides && { strides }),
    ...(pads && { pads }),
    ...(dilations && { dilations }),
  };
}

describe('IntegerConv', () => {
  const last = [0, 2, 3, 1];

  it.each(cases)('$name: as ConvInteger', async (test) => {
    const engine = await Engine.create();
    const [left, right] = test.types ?? ['uint8', 'int8'];
    const [x, w] = [bytes(left, test.x), bytes(right, test.w, 2)];
    const [xZero, wZero] = [one(left, 101), one(right, 5)];
    const expected = await onnxruntime({
      type: 'ConvInteger',
      inputs: right === 'int8' ? [x, w, xZero] : [x, w, xZero, wZero],
      attributes: onnxAttributes(test),
      outputs: ['int32'],
    });
    const inputs = [
      transposed(x, last),
      transposed(w, last),
      xZero,
      right === 'int8' ? undefined : wZero,
    ];
    const words = encodeAttributes('IntegerConv', attributesOf(test, 'int32'));
    const [found] = engine.run('IntegerConv', inputs, words);
    expect(transposed(found!, [0, 3, 1, 2])).toEqual(expected[0]);
    expect(engine.run('IntegerConv', inputs, words, { yieldAlways: true })).toEqual([found]);
  });

  /** onnxruntime has no kernel for signed images and unsigned filters. */
  const known = cases.filter(({ name }) => name !== 'signed images');
  it.each(known)('$name: as QLinearConv, filters packed', async (test) => {
    const engine = await Engine.create();
    const [left, right] = test.types ?? ['uint8', 'int8'];
    const [x, w] = [bytes(left, test.x), bytes(right, test.w, 2)];
    const [outChannels, perGroup, height, width] = test.w as [number, number, number, number];
    const [xZero, wZero, zero] = [
      one(left, 101),
      one(right, right === 'int8' ? 0 : 9),
      one(left, 60),
    ];
    const [xScale, scale] = [one('float32', 0.02), one('float32', 0.07)];
    const wScale = floats(
      [outChannels],
      Array.from({ length: outChannels }, (_, i) => 0.002 + i / 9000),
    );
    const bias: TestTensor = {
      dtype: 'int32',
      dims: [outChannels],
      data:
        wScale.data.length > 0 ? Array.from({ length: outChannels }, (_, i) => i * 300 - 700) : [],
    };
    const expected = await onnxruntime({
      type: 'QLinearConv',
      inputs: [x, xScale, xZero, w, wScale, wZero, scale, zero, bias],
      attributes: onnxAttributes(test),
      outputs: [left],
    });
    const factors = Array.from(
      wScale.data,
      (one) => Math.fround(xScale.data[0]! * one) / scale.data[0]!,
    );
    const group = test.group ?? 1;
    const n = outChannels / group;
    const [pixels, shift] = [height * width, right === 'uint8' ? 128 : 0];
    const packed = Array.from({ length: group }, (_, g) =>
      Array.from(
        packInt8(pixels * perGroup, n, (row, column) => {
          const [pixel, channel] = [Math.floor(row / perGroup), row % perGroup];
          return w.data[((g * n + column) * perGroup + channel) * pixels + pixel]! - shift;
        }),
      ),
    ).flat();
    const weights: TestTensor = { dtype: 'int8', dims: [packed.length], data: packed };
    const attributes = { ...attributesOf(test, left), packed: true, unsigned: shift > 0 };
    const words = encodeAttributes('IntegerConv', attributes);
    const parameters = [xZero, wZero, bias, floats([outChannels], factors), zero];
    const [found] = engine.run('IntegerConv', [transposed(x, last), weights, ...parameters], words);
    expect(transposed(found!, [0, 3, 1, 2])).toEqual(expected[0]);
  });

  it('refuses what does not fit', async () => {
    const engine = await Engine.create();
    const attributes = attributesOf(cases[0]!, 'int32');
    const run = (inputs: TestTensor[], some: Partial<OpAttributes['IntegerConv']> = {}) =>
      engine.run(
        'IntegerConv',
        inputs,
        encodeAttributes('IntegerConv', { ...attributes, ...some }),
      );
    const [x, w] = [bytes('uint8', [1, 3, 4, 5]), bytes('int8', [6, 1, 1, 5])];
    expect(() => run([x, w], { group: 0 })).toThrow('multiples of the groups');
    expect(() => run([x, w], { inChannels: 4 })).toThrow('as many channels');
    expect(() => run([x, bytes('int8', [6, 1, 1, 4])])).toThrow('filters of the sizes');
    expect(() => run([x, w], { to: 'uint8' })).toThrow('float32');
    expect(() => run([x, w], { to: 'bool' })).toThrow('results of int32');
    expect(() => run([x, floats([1], [1])])).toThrow('int8 or uint8');
    expect(() => run([x, w, bytes('uint8', [2])])).toThrow('one number');
  });
});

const small: Case = { name: '', x: [], w: [8, 8, 3, 3], pads: [1, 1, 1, 1] };
const each: Case = { name: '', x: [], w: [32, 1, 3, 3], group: 32 };
operatorContract(
  'IntegerConv',
  [],
  [
    {
      name: 'images',
      attributes: attributesOf(small, 'int32'),
      inputs: [zeros('uint8', [1, 200, 200, 8]), zeros('int8', [8, 3, 3, 8])],
    },
    {
      name: 'a channel each',
      attributes: attributesOf(each, 'int32'),
      inputs: [zeros('uint8', [1, 200, 200, 32]), zeros('int8', [32, 3, 3, 1])],
    },
  ],
);

it.each(byteTypes)('a whole image of %s is one window', async (type) => {
  const engine = await Engine.create();
  const x = bytes(type, [1, 4, 5, 3]);
  const w = bytes('int8', [2, 4, 5, 3], 2);
  const test: Case = { name: '', x: [1, 3, 4, 5], w: [2, 3, 4, 5] };
  const words = encodeAttributes('IntegerConv', attributesOf(test, 'int32'));
  const [found] = engine.run('IntegerConv', [x, w], words);
  const sums = [0, 1].map((filter) =>
    Array.from(x.data).reduce((sum, value, i) => sum + value * w.data[filter * 60 + i]!, 0),
  );
  expect(Array.from(found!.data)).toEqual(sums);
});
