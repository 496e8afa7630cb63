import { describe, expect, it } from 'vitest';
import type { DTypeName } from '@canopy/protocol';
import { makeNode, type Graph } from '../graph/graph.js';
import { largestDifference } from '../testing/run-plan.js';
import { lowered, makeGraph, reference, runProgram } from '../testing/run-program.js';

/** An Einsum of operands whose dimension of 7 is open: it counts rows. */
function graphOf(
  equation: string,
  operands: readonly number[][],
  dtype: DTypeName = 'float32',
): Graph {
  const inputs = operands.map((dims, index) => ({
    name: `x${index}`,
    dtype,
    dims: dims.map((dim) => (dim === 7 ? 'batch' : dim)),
  }));
  const names = inputs.map(({ name }) => name);
  return makeGraph({
    inputs,
    outputs: [{ name: 'y', dtype, dims: undefined }],
    nodes: [
      makeNode('Einsum', 'node', names, ['y'], { equation: { kind: 'string', value: equation } }),
    ],
  });
}

const equations: [string, ...number[][]][] = [
  ['ij,jk->ik', [7, 4], [4, 5]],
  ['ij , kj -> ki', [7, 4], [5, 4]],
  ['bij,bjk->bik', [7, 3, 4], [7, 4, 5]],
  ['bqhd,bkhd->bhqk', [7, 4, 3, 5], [7, 6, 3, 5]],
  ['bhwc,hkc->bhwk', [7, 3, 4, 5], [3, 6, 5]],
  ['abcd,cde->abe', [7, 3, 4, 5], [4, 5, 6]],
  ['abcd,cde->abe', [2, 7, 4, 5], [4, 5, 6]],
  ['...ij,jk->...ik', [7, 2, 3, 4], [4, 5]],
  ['ij,jk', [7, 4], [4, 5]],
  ['ijk->kij', [7, 3, 4]],
  ['ijk->j', [7, 3, 4]],
  ['i,j->ij', [7], [4]],
  ['i,i->', [5], [5]],
  ['ij,ij->ij', [7, 4], [7, 4]],
  ['ij,jk,kl->il', [7, 3], [3, 4], [4, 5]],
  ['bi,bj,bk->bijk', [7, 3], [7, 4], [7, 5]],
  ['ij,j->i', [7, 4], [4]],
  ['ij,kl->', [3, 4], [2, 5]],
];

describe('Einsum', () => {
  it.each(equations)('%s: as onnxruntime, at any number of rows', async (equation, ...operands) => {
    const graph = graphOf(equation, operands);
    const isOpen = operands.flat().includes(7);
    const { program } = await lowered(graph, isOpen ? { batch: 7 } : {});
    for (const rows of [1, 7]) {
      const { feeds, expected } = await reference(graph, { batch: rows }, rows);
      const [result] = await runProgram(program, feeds);
      expect([...result!.dims]).toEqual([...expected[0]!.dims]);
      expect(largestDifference(result!, expected[0]!)).toBeLessThan(1e-5);
    }
  });

  it('adds up whole numbers exactly', async () => {
    const graph = graphOf(
      'ij,jk->ik',
      [
        [3, 4],
        [4, 5],
      ],
      'int64',
    );
    const { program } = await lowered(graph);
    const { feeds, expected } = await reference(graph, {});
    const [result] = await runProgram(program, feeds);
    expect(Buffer.from(result!.data)).toEqual(Buffer.from(expected[0]!.data));
  });

  it('refuses a diagonal', async () => {
    await expect(lowered(graphOf('ii->i', [[3, 3]]))).rejects.toThrow(/diagonal/);
  });
});
