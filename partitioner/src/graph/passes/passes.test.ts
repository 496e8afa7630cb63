import { describe, expect, it } from 'vitest';
import { floatConstant, intConstant } from '../constant.js';
import { makeNode, type Attribute, type Graph, type GraphNode } from '../graph.js';
import { largestDifference } from '../../testing/run-plan.js';
import { lowered, makeGraph, numbers, reference, runProgram } from '../../testing/run-program.js';
import type { Program } from '../program.js';
import { runPasses } from './index.js';

const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const int = (value: number): Attribute => ({ kind: 'int', value });
const real = (value: number): Attribute => ({ kind: 'float', value });

/** Operations by name, in order. */
const ops = (program: Program): string[] => program.nodes.map((node) => node.op);

/** Runs all passes on a graph and checks that it computes what onnxruntime makes of the graph. */
async function optimized(graph: Graph, dims: Record<string, number> = {}): Promise<Program> {
  const { program, sizes } = await lowered(graph, dims);
  runPasses(program);
  const { feeds, expected } = await reference(graph, sizes);
  const results = await runProgram(program, feeds);
  results.forEach((result, index) => {
    expect(largestDifference(result, expected[index]!)).toBeLessThan(1e-5);
  });
  return program;
}

const image = { name: 'x', dtype: 'float32', dims: ['batch', 3, 8, 'width'] } as const;
const out = { name: 'y', dtype: 'float32', dims: undefined } as const;
const filter = { w: floatConstant([6, 3, 3, 3], numbers(162)), b: floatConstant([6], numbers(6)) };
const conv = (input: string, output: string): GraphNode =>
  makeNode('Conv', 'conv', [input, 'w', 'b'], [output], { pads: ints(1, 1, 1, 1) });

describe('passes', () => {
  it('fold constant factors and offsets into a convolution', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [image],
        outputs: [out],
        nodes: [
          conv('x', 'c'),
          makeNode('Mul', 'mul', ['s', 'c'], ['m']),
          makeNode('Add', 'add', ['m', 't'], ['a']),
          makeNode('Mul', 'channels', ['a', 'f'], ['y']),
        ],
        constants: {
          ...filter,
          s: floatConstant([1], [1.5]),
          t: floatConstant([], [0.25]),
          f: floatConstant([6, 1, 1], numbers(6, 3)),
        },
      }),
      { width: 10 },
    );
    expect(ops(program)).toEqual(['Transpose', 'Conv', 'Transpose']);
  });

  it('find hard-swish, its scale and its shift, and put them into the epilogue', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [image],
        outputs: [out],
        nodes: [
          conv('x', 'c'),
          makeNode('Add', 'add', ['c', 'three'], ['p']),
          makeNode('Clip', 'clip', ['p', 'zero', 'six'], ['k']),
          makeNode('Mul', 'mul', ['c', 'k'], ['m']),
          makeNode('Div', 'div', ['m', 'six'], ['h']),
          makeNode('Mul', 'scale', ['h', 's'], ['n']),
          makeNode('Add', 'shift', ['n', 't'], ['y']),
        ],
        constants: {
          ...filter,
          zero: floatConstant([], [0]),
          three: floatConstant([], [3]),
          six: floatConstant([], [6]),
          s: floatConstant([1], [0.5]),
          t: floatConstant([1], [-0.125]),
        },
      }),
      { width: 10 },
    );
    expect(ops(program)).toEqual(['Transpose', 'Conv', 'Transpose']);
    const [, node] = program.nodes;
    const epilogue = node!.op === 'Conv' ? node.attributes.epilogue : undefined;
    expect(epilogue).toMatchObject({ activation: 'hardSwish', shift: -0.125 });
    expect(epilogue!.scale).toBeCloseTo(0.5, 6);
  });

  it.each([
    ['Relu', {}, 'relu'],
    ['Sigmoid', {}, 'sigmoid'],
    ['Tanh', {}, 'tanh'],
    ['HardSigmoid', { alpha: real(0.2), beta: real(0.4) }, 'hardSigmoid'],
    ['LeakyRelu', { alpha: real(0.1) }, 'leakyRelu'],
    ['com.microsoft.QuickGelu', { alpha: real(1.702) }, 'quickGelu'],
    ['com.microsoft.Gelu', {}, 'gelu'],
  ])('put %s into the epilogue of a Linear', async (op, attributes, activation) => {
    const program = await optimized(
      makeGraph({
        inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 'length', 5] }],
        outputs: [out],
        nodes: [
          makeNode('MatMul', 'product', ['x', 'w'], ['p']),
          makeNode('Add', 'bias', ['b', 'p'], ['s']),
          makeNode(op, 'activation', ['s'], ['y'], attributes),
        ],
        constants: {
          w: floatConstant([5, 7], numbers(35)),
          b: floatConstant([7], numbers(7, 2)),
        },
      }),
      { length: 4 },
    );
    expect(ops(program)).toEqual(['Linear']);
    expect(program.nodes[0]!.attributes).toMatchObject({ epilogue: { activation } });
  });

  it('leave a value alone that something else reads too', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 5] }],
        outputs: [out],
        nodes: [
          makeNode('MatMul', 'product', ['x', 'w'], ['p']),
          makeNode('Relu', 'relu', ['p'], ['r']),
          makeNode('Add', 'add', ['p', 'r'], ['y']),
        ],
        constants: { w: floatConstant([5, 5], numbers(25)) },
      }),
    );
    expect(ops(program)).toEqual(['Linear', 'Unary', 'Binary']);
  });

  it('keep one pair of transposes around a channels-last network', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [image],
        outputs: [out],
        nodes: [
          conv('x', 'c'),
          makeNode('Relu', 'relu', ['c'], ['r']),
          makeNode('MaxPool', 'pool', ['r'], ['p'], {
            kernel_shape: ints(2, 2),
            strides: ints(2, 2),
          }),
          makeNode('GlobalAveragePool', 'squeeze', ['p'], ['g']),
          makeNode('Sigmoid', 'gate', ['g'], ['k']),
          makeNode('Mul', 'excite', ['p', 'k'], ['e']),
          makeNode('Add', 'constant', ['e', 'f'], ['d']),
          makeNode('Concat', 'concat', ['e', 'd'], ['j'], { axis: int(1) }),
          makeNode('Slice', 'slice', ['j', 'start', 'end', 'axis'], ['y']),
        ],
        constants: {
          ...filter,
          f: floatConstant([6, 4, 1], numbers(24)),
          start: intConstant([1], [1]),
          end: intConstant([1], [9]),
          axis: intConstant([1], [-3]),
        },
      }),
      { width: 12 },
    );
    expect(ops(program).filter((op) => op === 'Transpose')).toHaveLength(2);
    expect(ops(program)[0]).toBe('Transpose');
    expect(ops(program).at(-1)).toBe('Transpose');
  });

  it('drop the transpose of a pooled image before it is flattened', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [image],
        outputs: [out],
        nodes: [
          conv('x', 'c'),
          makeNode('GlobalAveragePool', 'pool', ['c'], ['g']),
          makeNode('Flatten', 'flatten', ['g'], ['f']),
          makeNode('Gemm', 'gemm', ['f', 'm', 'n'], ['y'], {
            transB: int(1),
            alpha: real(0.5),
            beta: real(2),
          }),
        ],
        constants: {
          ...filter,
          m: floatConstant([4, 6], numbers(24)),
          n: floatConstant([4], numbers(4, 9)),
        },
      }),
      { width: 10 },
    );
    expect(ops(program)).toEqual(['Transpose', 'Conv', 'GlobalAveragePool', 'Flatten', 'Linear']);
  });

  it('keep the transpose where flattening would mix channels and pixels', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [image],
        outputs: [out],
        nodes: [conv('x', 'c'), makeNode('Flatten', 'flatten', ['c'], ['y'])],
        constants: filter,
      }),
      { width: 10 },
    );
    expect(ops(program)).toEqual(['Transpose', 'Conv', 'Transpose', 'Flatten']);
  });

  it('move reductions and squeezes before transposes', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [image],
        outputs: [out],
        nodes: [
          conv('x', 'c'),
          makeNode('ReduceMean', 'mean', ['c'], ['r'], { axes: ints(2), keepdims: int(1) }),
          makeNode('Squeeze', 'squeeze', ['r', 'two'], ['s']),
          makeNode('ReduceMax', 'max', ['s'], ['y'], { axes: ints(-1), keepdims: int(0) }),
        ],
        constants: { ...filter, two: intConstant([1], [2]) },
      }),
      { width: 10 },
    );
    expect(ops(program)).toEqual(['Transpose', 'Conv', 'Reduce', 'Squeeze', 'Reduce']);
  });

  it('remove identities, also at the end', async () => {
    const program = await optimized(
      makeGraph({
        inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 5] }],
        outputs: [out],
        nodes: [
          makeNode('Identity', 'first', ['x'], ['i']),
          makeNode('Relu', 'relu', ['i'], ['r']),
          makeNode('Dropout', 'last', ['r'], ['y']),
          makeNode('Exp', 'unused', ['r'], ['z']),
        ],
      }),
    );
    expect(ops(program)).toEqual(['Unary']);
    expect(program.nodes[0]!.outputs).toEqual(['y']);
  });
});
