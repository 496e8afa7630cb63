import { describe, expect, it } from 'vitest';
import { floatConstant, numberConstant, type Constant } from '../constant.js';
import { makeNode, type Graph } from '../graph.js';
import { differenceOf, runGraphBoth } from '../../testing/as-onnxruntime.js';
import { lowered, makeGraph } from '../../testing/run-program.js';
import { runPasses } from './index.js';

function bytes(dims: number[]): Constant {
  const count = dims.reduce((a, b) => a * b);
  const values = Array.from({ length: count }, (_, i) => ((i * 89 + (i >> 4)) % 256) - 128);
  return numberConstant('int8', dims, values);
}

/** Quantized while it runs, multiplied, scaled by `scale` times that of the input, and shifted. */
function dynamic(
  op: 'ConvInteger' | 'MatMulInteger',
  dims: (number | string)[],
  w: number[],
  scale: Constant,
  bias?: Constant,
): Graph {
  return makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims }],
    outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
    nodes: [
      makeNode('DynamicQuantizeLinear', 'quantize', ['x'], ['q', 's', 'z']),
      makeNode(op, 'product', ['q', 'w', 'z'], ['sums']),
      makeNode('Cast', 'cast', ['sums'], ['floats'], { to: { kind: 'int', value: 1 } }),
      makeNode('Mul', 'scales', ['s', 'scale'], ['both']),
      makeNode('Mul', 'scaled', ['floats', 'both'], [bias ? 'scaled' : 'y']),
      ...(bias ? [makeNode('Add', 'added', ['scaled', 'bias'], ['y'])] : []),
    ],
    constants: { w: bytes(w), scale, ...(bias && { bias }) },
  });
}

async function operatorsOf(graph: Graph): Promise<string[]> {
  const { program } = await lowered(graph, { batch: 2 });
  return runPasses(program).nodes.map(({ op }) => op);
}

const one = floatConstant([], [0.01]);
const six = floatConstant([6], [0.01, 0.02, 0.03, 0.004, 0.05, 0.06]);
const image = ['batch', 5, 6, 7];
const filters = [6, 5, 3, 3];

describe('integerScales', () => {
  it.each<[string, Graph, string[]]>([
    [
      'images',
      dynamic('ConvInteger', image, filters, one),
      ['Transpose', 'DynamicQuantize', 'IntegerConv', 'Transpose'],
    ],
    [
      'images with a bias',
      dynamic('ConvInteger', image, filters, one, floatConstant([1, 6, 1, 1], [1, 2, 3, 4, 5, 6])),
      ['Transpose', 'DynamicQuantize', 'IntegerConv', 'Transpose'],
    ],
    [
      'rows, scaled by column, with a bias',
      dynamic(
        'MatMulInteger',
        ['batch', 3, 8],
        [8, 6],
        six,
        floatConstant([6], [1, 2, 3, 4, 5, 6]),
      ),
      ['DynamicQuantize', 'Binary', 'IntegerLinear'],
    ],
  ])('%s: in the product, as onnxruntime', async (_, graph, operators) => {
    const found = await operatorsOf(graph);
    expect(found.filter((op) => op !== 'Transpose' && op !== 'Unary').sort()).toEqual(
      operators.filter((op) => op !== 'Transpose').sort(),
    );
    expect(differenceOf(await runGraphBoth(graph, { batch: 2 }))).toBe(0);
  });

  it('leaves a factor for each row, and sums that are read elsewhere', async () => {
    const each = floatConstant([3, 1], [1, 2, 3]);
    const rows = dynamic('MatMulInteger', ['batch', 3, 8], [8, 6], each);
    expect(await operatorsOf(rows)).toContain('Cast');
    expect(differenceOf(await runGraphBoth(rows, { batch: 2 }))).toBe(0);
    const shown = dynamic('MatMulInteger', ['batch', 3, 8], [8, 6], one);
    shown.outputs.push({ name: 'sums', dtype: 'int32', dims: undefined });
    expect(await operatorsOf(shown)).toContain('Cast');
  });
});
