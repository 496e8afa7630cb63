import { describe, expect, it } from 'vitest';
import { floatConstant } from './constant.js';
import { fixedShapes, noEpilogue, type Program, type Weight } from './program.js';
import { quantizeWeights } from './quantize-weights.js';

function programOf(k: number, n: number): Program {
  const matrix: Weight = {
    kind: 'matrix',
    constant: floatConstant([k, n], new Float32Array(k * n).fill(1)),
    k,
    n,
    transposed: false,
    scale: undefined,
  };
  const bias: Weight = { kind: 'bias', values: new Float32Array(n), group: 1 };
  const value = (name: string, dims: number[], weight?: Weight): Program['values'] =>
    new Map([
      [name, { name, dtype: 'float32', shapes: fixedShapes(dims), ...(weight && { weight }) }],
    ]);
  const node = (name: string, output: string): Program['nodes'][number] => ({
    op: 'Linear',
    name,
    inputs: ['x', 'w', 'b'],
    outputs: [output],
    attributes: { k, n, epilogue: noEpilogue },
  });
  return {
    inputs: ['x'],
    outputs: ['y', 'z'],
    nodes: [node('first', 'y'), node('second', 'z')],
    values: new Map([
      ...value('x', [1, k]),
      ...value('w', [k, n], matrix),
      ...value('b', [n], bias),
      ...value('y', [1, n]),
      ...value('z', [1, n]),
    ]),
  };
}

describe('quantizeWeights', () => {
  it('int8: one value and its scales for all nodes that read a matrix', () => {
    const program = programOf(64, 8);
    expect(quantizeWeights(program, 'int8')).toEqual(['w']);
    const [first, second] = program.nodes;
    expect(first!.inputs).toHaveLength(4);
    expect(second!.inputs).toEqual(first!.inputs);
    const [, integers, , scales] = first!.inputs as [string, string, string, string];
    expect(program.values.get(integers)).toMatchObject({ dtype: 'int8', weight: { kind: 'int8' } });
    expect(program.values.get(scales)).toMatchObject({
      dtype: 'float32',
      weight: { kind: 'int8-scales' },
    });
    expect(program.values.has('w')).toBe(false);
  });

  it('int4: bytes that hold their scales', () => {
    const program = programOf(64, 8);
    expect(quantizeWeights(program, 'int4', 128)).toEqual(['w']);
    const [, integers] = program.nodes[0]!.inputs as [string, string];
    expect(program.nodes[0]!.inputs).toHaveLength(3);
    expect(program.values.get(integers)).toMatchObject({
      dtype: 'uint8',
      weight: { kind: 'int4', block: 128 },
    });
  });

  it('leaves shallow matrices, and everything where f32 is asked for', () => {
    for (const [program, type] of [
      [programOf(31, 8), 'int8'],
      [programOf(64, 8), 'f32'],
    ] as const) {
      expect(quantizeWeights(program, type)).toEqual([]);
      expect(program.nodes[0]!.inputs).toEqual(['x', 'w', 'b']);
      expect(program.values.get('w')!.weight!.kind).toBe('matrix');
    }
  });
});
