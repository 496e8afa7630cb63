import { describe, expect, it } from 'vitest';
import { DType, type BundleTensor, type DTypeName } from '@canopy/protocol';
import {
  fourBitConstant,
  memoryConstant,
  floatConstant,
  type Constant,
} from '../graph/constant.js';
import { makeNode, type Attribute, type GraphNode } from '../graph/graph.js';
import { asNumbers, differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph, numbers } from '../testing/run-program.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const codes = { uint8: 21, int8: 22 };

function cast(from: string, output: string, code: number): GraphNode {
  return makeNode('Cast', output, [from], [output], { to: int(code) });
}

/** X through nodes, with results as f32. */
async function through(
  x: BundleTensor,
  nodes: GraphNode[],
  constants: Record<string, Constant> = {},
): Promise<{ difference: number; values: number[] }> {
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: x.dtype, dims: [...x.dims] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes,
    constants,
    opset: 21,
  });
  const compared = await runGraphBoth(graph, {}, [x]);
  return { difference: differenceOf(compared), values: asNumbers(compared.results[0]!) };
}

function floats(...values: number[]): BundleTensor {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { name: 'x', dtype: 'float32', dims: [values.length], data };
}

const values = [-8, -7.5, -6.6, -2.5, -1.5, -0.5, -0.1, 0, 0.49999997, 0.5, 1.4, 1.5, 2.5, 6.5, 7];

/** Numbers of 4 bits that differ from place to place. */
function fourBits(dtype: 'int8' | 'uint8', dims: number[]): Constant {
  const count = Math.ceil(dims.reduce((a, b) => a * b, 1) / 2);
  const data = Uint8Array.from({ length: count }, (_, i) => (i * 89 + (i >> 3)) & 255);
  return fourBitConstant(dtype, dims, memoryConstant('uint8', [count], data));
}

describe.each(['int8', 'uint8'] as const)('four bits in %s', (dtype) => {
  it('Cast from float32: as onnxruntime', async () => {
    const nodes = [cast('x', 'narrow', codes[dtype]), cast('narrow', 'y', DType.float32)];
    const shift = dtype === 'int8' ? 0 : 8;
    const x = floats(...values.map((value) => value + shift));
    expect(await through(x, nodes)).toMatchObject({ difference: 0 });
  });

  it('Cast from float32 saturates', async () => {
    const nodes = [cast('x', 'narrow', codes[dtype]), cast('narrow', 'y', DType.float32)];
    const { values: results } = await through(floats(-1e9, -9, 16, 3e38), nodes);
    expect(results).toEqual(dtype === 'int8' ? [-8, -8, 7, 7] : [0, 0, 15, 15]);
  });

  it.each<DTypeName>(['int8', 'uint8', 'int32'])('Cast from %s: as onnxruntime', async (from) => {
    const x = floats(...Array.from({ length: 60 }, (_, i) => i * 2 - (from === 'uint8' ? 0 : 60)));
    const nodes = [
      cast('x', 'integers', DType[from]),
      cast('integers', 'narrow', codes[dtype]),
      cast('narrow', 'y', DType.float32),
    ];
    expect(await through(x, nodes)).toMatchObject({ difference: 0 });
  });

  it.each([false, true])('QuantizeLinear with a zero point %s: as onnxruntime', async (given) => {
    const nodes = [
      makeNode('QuantizeLinear', 'q', ['x', 'scale', ...(given ? ['zero'] : [])], ['q'], {
        ...(!given && { output_dtype: int(codes[dtype]) }),
      }),
      makeNode('DequantizeLinear', 'd', ['q', 'scale', ...(given ? ['zero'] : [])], ['y']),
    ];
    const constants = {
      scale: floatConstant([], [0.5]),
      ...(given && { zero: fourBits(dtype, []) }),
    };
    expect(await through(floats(-100, -9, 99, ...values), nodes, constants)).toMatchObject({
      difference: 0,
    });
  });

  it.each([
    ['along the first axis', [96, 5], [3, 5], 0, 32],
    ['along the last axis', [5, 96], [5, 3], 1, 32],
    ['in blocks that are not whole', [40, 6], [3, 6], 0, 16],
    ['of one for each column', [33, 7], [7], 1, 0],
  ] as const)('weights with scales %s: as onnxruntime', async (_, dims, scales, axis, block) => {
    const [k, n] = axis === 0 || block === 0 ? dims : [dims[1], dims[0]];
    const x = floats(...numbers(k * 3));
    const transposed = k !== dims[0];
    const nodes = [
      makeNode('DequantizeLinear', 'd', ['w', 'scale', 'zero'], ['weights'], {
        axis: int(axis),
        ...(block > 0 && { block_size: int(block) }),
      }),
      ...(transposed ? [makeNode('Transpose', 't', ['weights'], ['turned'])] : []),
      makeNode('MatMul', 'm', ['x', transposed ? 'turned' : 'weights'], ['y']),
    ];
    const constants = {
      w: fourBits(dtype, [...dims]),
      scale: floatConstant(scales, numbers(scales.reduce((a: number, b) => a * b, 1))),
      zero: fourBits(dtype, [...scales]),
    };
    const { difference, values: results } = await through({ ...x, dims: [3, k] }, nodes, constants);
    expect(results).toHaveLength(3 * n);
    expect(difference).toBeLessThan(Math.max(...results.map(Math.abs)) * 1e-4);
  });
});
