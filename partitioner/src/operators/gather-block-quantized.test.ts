import { describe, expect, it } from 'vitest';
import {
  floatConstant,
  fourBitConstant,
  memoryConstant,
  type Constant,
} from '../graph/constant.js';
import { makeNode, type Attribute } from '../graph/graph.js';
import { asNumbers, differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph, numbers } from '../testing/run-program.js';

const int = (value: number): Attribute => ({ kind: 'int', value });

function elements(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

function bytes(dims: number[], seed: number): Constant {
  const data = Uint8Array.from({ length: elements(dims) }, (_, i) => (i * 97 + seed * 31) & 255);
  return memoryConstant('uint8', dims, data);
}

type Type = 'uint8' | 'uint4' | 'int4';

/** Integers of a table: of uint8 several in a byte of the last dimension. */
function integers(type: Type, dims: number[], bits: number, seed: number): Constant {
  if (type === 'uint8') return bytes(dims.with(-1, Math.ceil((dims.at(-1)! * bits) / 8)), seed);
  const packed = bytes([Math.ceil(elements(dims) / 2)], seed);
  return fourBitConstant(type === 'int4' ? 'int8' : 'uint8', dims, packed);
}

interface Form {
  type: Type;
  bits?: number;
  dims: number[];
  block?: number;
  zeros: boolean;
  gather?: number;
  quantize?: number;
}

const forms: Form[] = [
  { type: 'uint8', dims: [10, 64], zeros: true },
  { type: 'uint8', dims: [10, 64], zeros: false },
  { type: 'uint8', dims: [10, 48], zeros: true },
  { type: 'uint8', bits: 8, dims: [10, 40], zeros: true },
  { type: 'uint8', bits: 8, dims: [10, 32], zeros: false, block: 32 },
  { type: 'uint8', bits: 2, dims: [10, 64], zeros: true },
  { type: 'uint8', bits: 2, dims: [10, 64], zeros: false },
  { type: 'int4', dims: [10, 64], zeros: true },
  { type: 'int4', dims: [10, 64], zeros: false },
  { type: 'int4', dims: [10, 35], zeros: true },
  { type: 'uint4', dims: [10, 64], zeros: true },
  { type: 'uint4', dims: [10, 64], zeros: false },
  { type: 'int4', dims: [20, 7, 6], zeros: true, gather: 1, quantize: 0 },
  { type: 'uint4', dims: [3, 6, 20], zeros: true, gather: 1, quantize: -1 },
];

describe('GatherBlockQuantized', () => {
  it.each(forms.map((form) => [JSON.stringify(form), form] as const))(
    '%s: as onnxruntime',
    async (_, { type, bits = 4, dims, block = 16, zeros, gather = 0, quantize = 1 }) => {
      const scales = dims.with(quantize, Math.ceil(dims.at(quantize)! / block));
      const graph = makeGraph({
        inputs: [{ name: 'i', dtype: 'int64', dims: [2, 3] }],
        outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
        nodes: [
          makeNode(
            'com.microsoft.GatherBlockQuantized',
            'node',
            ['w', 'i', 's', ...(zeros ? ['z'] : [])],
            ['y'],
            {
              ...(type === 'uint8' && { bits: int(bits) }),
              block_size: int(block),
              gather_axis: int(gather),
              quantize_axis: int(quantize),
            },
          ),
        ],
        constants: {
          w: integers(type, dims, bits, 1),
          s: floatConstant(scales, numbers(elements(scales))),
          ...(zeros && { z: integers(type, scales, bits, 2) }),
        },
      });
      const data = new Uint8Array(BigInt64Array.of(5n, 0n, -1n, 2n, 2n, -3n).buffer);
      const feeds = [{ name: 'i', dtype: 'int64' as const, dims: [2, 3], data }];
      const compared = await runGraphBoth(graph, {}, feeds);
      expect(Math.max(...asNumbers(compared.expected[0]!))).toBeGreaterThan(0);
      expect(differenceOf(compared)).toBe(0);
    },
  );

  it('is refused where zero points are computed', async () => {
    const graph = makeGraph({
      inputs: [
        { name: 'i', dtype: 'int64', dims: [2, 3] },
        { name: 'z', dtype: 'uint8', dims: [10, 2] },
      ],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode('com.microsoft.GatherBlockQuantized', 'node', ['w', 'i', 's', 'z'], ['y'], {
          bits: int(4),
          block_size: int(16),
          quantize_axis: int(1),
        }),
      ],
      constants: {
        w: integers('uint8', [10, 64], 4, 1),
        s: floatConstant([10, 4], numbers(40)),
      },
    });
    await expect(runGraphBoth(graph, {})).rejects.toThrow('has computed zero points');
  });
});
