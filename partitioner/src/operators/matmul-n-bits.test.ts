import { describe, expect, it } from 'vitest';
import { floatConstant, memoryConstant, numberConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Graph } from '../graph/graph.js';
import { asNumbers, differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph, numbers } from '../testing/run-program.js';

interface Form {
  bits: 2 | 4 | 8;
  k: number;
  n: number;
  block: number;
  zeros?: 'integers' | 'floats';
  bias?: boolean;
  level?: number;
  /** Of A. */
  rank?: 2 | 3;
}

/** Bytes that differ from place to place. */
function bytes(dims: number[], seed: number): Constant {
  const count = dims.reduce((a, b) => a * b);
  const data = Uint8Array.from({ length: count }, (_, i) => (i * 97 + seed * 31 + (i >> 5)) & 255);
  return memoryConstant('uint8', dims, data);
}

function graphOf({ bits, k, n, block, zeros, bias, level, rank = 2 }: Form): Graph {
  const blocks = Math.ceil(k / block);
  const given = [
    ['b', bytes([n, blocks, (block * bits) / 8], 1)],
    ['scales', floatConstant([n, blocks], numbers(n * blocks, 2))],
    ['zeros', zeros === 'integers' && bytes([n, Math.ceil((blocks * bits) / 8)], 3)],
    ['floats', zeros === 'floats' && floatConstant([n, blocks], numbers(n * blocks, 4))],
    ['bias', bias && floatConstant([n], numbers(n, 5))],
  ] as const;
  const constants = Object.fromEntries(given.filter(([, constant]) => constant)) as Record<
    string,
    Constant
  >;
  const point = { integers: 'zeros', floats: 'floats', none: '' }[zeros ?? 'none'];
  const int = (value: number) => ({ kind: 'int', value }) as const;
  const attributes = {
    ...{ K: int(k), N: int(n), bits: int(bits), block_size: int(block) },
    ...(level !== undefined && { accuracy_level: int(level) }),
  };
  const inputs = ['x', 'b', 'scales', point, '', bias ? 'bias' : ''];
  return makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: rank === 2 ? ['batch', k] : ['batch', 2, k] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [makeNode('com.microsoft.MatMulNBits', 'product', inputs, ['y'], attributes)],
    constants,
  });
}

const forms: Form[] = [
  { bits: 4, k: 64, n: 12, block: 32 },
  { bits: 4, k: 64, n: 12, block: 32, zeros: 'integers', bias: true },
  { bits: 4, k: 96, n: 7, block: 32, zeros: 'integers', rank: 3 },
  { bits: 4, k: 64, n: 12, block: 16, zeros: 'integers' },
  { bits: 4, k: 256, n: 20, block: 128, zeros: 'integers', rank: 3 },
  { bits: 4, k: 100, n: 9, block: 32, zeros: 'integers' },
  { bits: 4, k: 20, n: 5, block: 32 },
  { bits: 4, k: 64, n: 8, block: 32, zeros: 'floats' },
  { bits: 4, k: 64, n: 12, block: 32, zeros: 'integers', level: 4 },
  { bits: 4, k: 64, n: 12, block: 64, level: 4 },
  { bits: 4, k: 100, n: 9, block: 32, zeros: 'integers', level: 4 },
  { bits: 4, k: 70, n: 5, block: 16, level: 4 },
  { bits: 4, k: 30, n: 6, block: 64, zeros: 'integers', level: 4 },
  { bits: 8, k: 70, n: 5, block: 32, level: 4 },
  { bits: 2, k: 64, n: 12, block: 32, zeros: 'integers' },
  { bits: 2, k: 128, n: 6, block: 64 },
  { bits: 8, k: 64, n: 12, block: 32, zeros: 'integers', bias: true },
  { bits: 8, k: 70, n: 5, block: 16 },
  { bits: 8, k: 64, n: 12, block: 32, level: 4 },
];

describe('MatMulNBits', () => {
  it.each(forms.map((form) => [JSON.stringify(form), form] as const))(
    '%s: as onnxruntime',
    async (_, form) => {
      const compared = await runGraphBoth(graphOf(form), { batch: 3 });
      const largest = Math.max(...asNumbers(compared.expected[0]!).map(Math.abs));
      expect(differenceOf(compared)).toBeLessThan(largest * 2e-4);
    },
  );

  it('is refused with groups of its own', async () => {
    const graph = graphOf({ bits: 4, k: 64, n: 4, block: 32 });
    graph.nodes[0]!.inputs[4] = 'places';
    graph.constants.set('places', numberConstant('int32', [64], new Array<number>(64).fill(0)));
    await expect(runGraphBoth(graph, { batch: 1 })).rejects.toThrow('has groups of its own');
  });
});
