import { describe, expect, it } from 'vitest';
import { floatConstant, numberConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Attribute, type GraphNode } from '../graph/graph.js';
import { asNumbers, differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph } from '../testing/run-program.js';

const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const int = (value: number): Attribute => ({ kind: 'int', value });
const text = (value: string): Attribute => ({ kind: 'string', value });

/** Bytes all over their range. */
function bytes(dtype: 'int8' | 'uint8', dims: number[]): Constant {
  const count = dims.reduce((a, b) => a * b);
  const least = dtype === 'int8' ? -128 : 0;
  const values = Array.from({ length: count }, (_, i) => least + ((i * 89 + (i >> 4)) % 256));
  return numberConstant(dtype, dims, values);
}

/** An operator with an image of bytes [2, 9, 7, 5] as its first input. */
async function difference(
  op: string,
  dtype: 'int8' | 'uint8',
  attributes: Record<string, Attribute>,
  constants: Record<string, Constant> = {},
): Promise<number> {
  const dims = [2, 9, 7, 5];
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype, dims }],
    outputs: [{ name: 'y', dtype, dims: undefined }],
    nodes: [
      makeNode(`com.microsoft.${op}`, 'node', ['x', ...Object.keys(constants)], ['y'], attributes),
    ],
    constants,
  });
  const data = bytes(dtype, dims).read(0, 630);
  return differenceOf(await runGraphBoth(graph, {}, [{ name: 'x', dtype, dims, data }]));
}

describe.each(['int8', 'uint8'] as const)('images of %s with channels last', (dtype) => {
  it.each<[string, Record<string, Attribute>]>([
    ['plain', {}],
    ['with padding and strides', { pads: ints(1, 0, 1, 2), strides: ints(2, 3) }],
    ['with gaps', { dilations: ints(2, 1) }],
    ['with padding of the same size', { auto_pad: text('SAME_UPPER'), strides: ints(2, 2) }],
    ['rounded up', { ceil_mode: int(1), strides: ints(2, 2) }],
  ])('NhwcMaxPool %s: as onnxruntime', async (_, attributes) => {
    const all = { kernel_shape: ints(3, 3), ...attributes };
    expect(await difference('NhwcMaxPool', dtype, all)).toBe(0);
  });

  it.each<[string, Record<string, Attribute>, number]>([
    ['plain', {}, 5],
    ['with padding and strides', { pads: ints(1, 0, 1, 2), strides: ints(2, 3) }, 5],
    ['of each channel', { group: int(5), pads: ints(1, 1, 1, 1) }, 1],
    ['with padding of the same size', { auto_pad: text('SAME_UPPER'), strides: ints(2, 2) }, 5],
  ])('QLinearConv %s: as onnxruntime', async (_, attributes, perGroup) => {
    const number = (value: number): Constant => floatConstant([], [value]);
    const zero = (value: number): Constant => numberConstant(dtype, [], [value]);
    const constants = {
      xScale: number(0.02),
      xZero: zero(11),
      w: bytes('int8', [10, perGroup, 3, 3]),
      wScale: number(0.01),
      wZero: numberConstant('int8', [], [0]),
      yScale: number(0.9),
      yZero: zero(13),
      bias: numberConstant('int32', [10], [5, -900, 70, 800, 30, -1, 0, 44, 2000, -600]),
    };
    const all = { channels_last: int(1), ...attributes };
    expect(await difference('QLinearConv', dtype, all, constants)).toBe(0);
  });
});

describe('quantized elements between convolutions', () => {
  it('have channels last too: as onnxruntime', async () => {
    const number = (value: number): Constant => floatConstant([], [value]);
    const zero = numberConstant('uint8', [], [7]);
    const conv = (x: string, y: string): GraphNode =>
      makeNode('QLinearConv', y, [x, 's', 'z', 'w', 's', 'wz', 's2', 'z'], [y]);
    const graph = makeGraph({
      inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 4, 6, 5] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('QuantizeLinear', 'q', ['x', 's', 'z'], ['q']),
        conv('q', 'a'),
        conv('q', 'b'),
        makeNode(
          'com.microsoft.QLinearAdd',
          'sum',
          ['a', 's2', 'z', 'b', 's', 'z', 's2', 'z'],
          ['sum'],
        ),
        conv('sum', 'c'),
        makeNode('DequantizeLinear', 'd', ['c', 'scales', 'zeros'], ['y']),
      ],
      constants: {
        s: number(0.02),
        s2: number(0.05),
        z: zero,
        w: bytes('int8', [4, 4, 1, 1]),
        wz: numberConstant('int8', [], [0]),
        scales: floatConstant([4], [0.1, 0.2, 0.3, 0.4]),
        zeros: numberConstant('uint8', [4], [1, 2, 3, 4]),
      },
    });
    const compared = await runGraphBoth(graph, { batch: 2 });
    expect(differenceOf(compared)).toBe(0);
    expect(new Set(asNumbers(compared.expected[0]!)).size).toBeGreaterThan(20);
  });
});
