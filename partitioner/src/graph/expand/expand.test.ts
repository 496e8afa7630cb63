import { describe, expect, it } from 'vitest';
import { asNumbers, differenceOf, runGraphBoth } from '../../testing/as-onnxruntime.js';
import { lowered, makeGraph, runProgram } from '../../testing/run-program.js';
import { guardsOf } from '../../emit/branches.js';
import { makeTemporary, removeTemporary } from '../../onnx/temporary.js';
import { modelOperators } from '../../operators/index.js';
import { floatConstant, intConstant, numberConstant } from '../constant.js';
import { makeNode, type Attribute, type Body, type Graph, type GraphNode } from '../graph.js';
import { unsupportedOperators } from '../lower/index.js';
import { expandGraph } from './index.js';

const int = (value: number): Attribute => ({ kind: 'int', value });
const graph = (value: Body): Attribute => ({ kind: 'graph', value });

/** A body; inputs are of no dimensions unless they are said to be. */
function body(
  inputs: string[],
  outputs: string[],
  nodes: GraphNode[],
  constants: Body['constants'] = new Map(),
): Body {
  return { inputs: inputs.map((name) => ({ name, rank: undefined })), outputs, nodes, constants };
}

/** One node that gives `y` of `x`. */
const one = (op: string, x = 'x'): Body =>
  body([], ['own'], [makeNode(op, 'within', [x], ['own'])]);

const x = { name: 'x', dtype: 'float32' as const, dims: ['batch', 3] };
const flag = { name: 'flag', dtype: 'bool' as const, dims: [] };
const y = { name: 'y', dtype: 'float32' as const, dims: undefined };

function branching(condition: string, yes: Body, no: Body): Graph {
  return makeGraph({
    inputs: condition === 'flag' ? [x, flag] : [x],
    outputs: [y],
    nodes: [
      makeNode('If', 'if', [condition], ['z'], { then_branch: graph(yes), else_branch: graph(no) }),
      makeNode('Neg', 'neg', ['z'], ['y']),
    ],
    constants: { yes: numberConstant('bool', [], [1]) },
  });
}

async function expanded(given: Graph): Promise<Graph> {
  const folder = makeTemporary();
  try {
    await expandGraph(given, folder, (op) => modelOperators.has(op));
    return given;
  } finally {
    removeTemporary(folder);
  }
}
const ops = ({ nodes }: Graph): string[] =>
  nodes.map(({ op }) => op).filter((op) => op !== 'Identity');

function feeds(isTrue: boolean) {
  const data = new Uint8Array(Float32Array.from([1, -2, 3, -4, 5, -6]).buffer);
  return [
    { name: 'x', dtype: 'float32' as const, dims: [2, 3], data },
    { name: 'flag', dtype: 'bool' as const, dims: [], data: Uint8Array.of(Number(isTrue)) },
  ];
}

describe('If', () => {
  it('becomes the branch that a constant takes', async () => {
    const given = branching('yes', one('Relu'), one('Erf'));
    expect(ops(await expanded(given))).toEqual(['Relu', 'Neg']);
    const compared = await runGraphBoth(branching('yes', one('Relu'), one('Erf')), { batch: 2 });
    expect(differenceOf(compared)).toBe(0);
  });

  it('becomes the branch that the rank of a value takes', async () => {
    const given = branching('is2', one('Relu'), one('Erf'));
    given.constants.set('two', intConstant([], [2]));
    given.nodes.unshift(
      makeNode('Shape', 'shape', ['x'], ['sizes']),
      makeNode('Size', 'size', ['sizes'], ['rank']),
      makeNode('Equal', 'equal', ['rank', 'two'], ['is2']),
    );
    expect(ops(await expanded(given))).toEqual(['Shape', 'Size', 'Equal', 'Relu', 'Neg']);
  });

  it.each([true, false])('takes a branch by an input that is %s', async (isTrue) => {
    const compared = await runGraphBoth(
      branching('flag', one('Relu'), one('Erf')),
      { batch: 2 },
      feeds(isTrue),
    );
    expect(differenceOf(compared)).toBeLessThan(1e-6);
  });

  it.each([true, false])('leaves out what would fail, %s', async (isTrue) => {
    // A sum that no worker can make: it must not be tried where the other branch is taken.
    const wrong = body(
      [],
      ['own'],
      [
        makeNode('Gather', 'gather', ['x', 'place'], ['column'], { axis: int(1) }),
        makeNode('Add', 'add', ['x', 'column'], ['own']),
      ],
    );
    const given = branching('flag', wrong, one('Relu'));
    given.inputs.push({ name: 'place', dtype: 'int64', dims: [1] });
    const place = {
      ...{ name: 'place', dtype: 'int64' as const, dims: [1] },
      data: new Uint8Array(BigInt64Array.from([isTrue ? 2n : 99n]).buffer),
    };
    const compared = await runGraphBoth(given, { batch: 2 }, [...feeds(isTrue), place]);
    expect(differenceOf(compared)).toBeLessThan(1e-6);
  });

  it('within a branch is taken within it', async () => {
    const inner = body(
      [],
      ['deep'],
      [
        makeNode('Not', 'not', ['flag'], ['other']),
        makeNode('If', 'inner', ['other'], ['deep'], {
          then_branch: graph(one('Erf')),
          else_branch: graph(one('Abs')),
        }),
      ],
    );
    for (const isTrue of [true, false]) {
      const given = branching('flag', inner, one('Relu'));
      const compared = await runGraphBoth(given, { batch: 2 }, feeds(isTrue));
      expect(differenceOf(compared)).toBeLessThan(1e-6);
    }
    const { program } = await lowered(await expanded(branching('flag', inner, one('Relu'))));
    const guards = guardsOf(program.nodes, program.outputs).map((guard) => guard.length);
    const depth = new Map(
      program.nodes.map(({ name }, index) => [name.split('/').at(-1)!, guards[index]!]),
    );
    expect(depth.get('not')).toBe(1);
    expect(Math.max(...guards)).toBe(2);
    expect(depth.get('neg')).toBe(0);
  });

  it('is refused where its results differ in rank', async () => {
    const flat = body([], ['own'], [makeNode('Flatten', 'f', ['x3'], ['own'])]);
    const given = branching('flag', one('Relu', 'x3'), flat);
    given.inputs.push({ name: 'x3', dtype: 'float32', dims: ['batch', 3, 2] });
    await expect(runGraphBoth(given, { batch: 2 }, [])).rejects.toThrow(
      /float32 of 3 dimensions or float32 of 2 dimensions.*fixed value/,
    );
  });
});

describe('Loop', () => {
  /** Doubles `v`, adds the number of the step, and gives out what that makes. */
  const doubling = body(
    ['i', 'on', 'v'],
    ['on', 'next', 'next'],
    [
      makeNode('Add', 'double', ['v', 'v'], ['twice']),
      makeNode('Cast', 'cast', ['i'], ['step'], { to: int(1) }),
      makeNode('Add', 'add', ['twice', 'step'], ['next']),
    ],
  );
  const looping = (count: string, condition = ''): Graph =>
    makeGraph({
      inputs: [x, ...(count === 'n' ? [{ name: 'n', dtype: 'int64' as const, dims: [] }] : [])],
      outputs: [y, { ...y, name: 'all' }],
      nodes: [
        makeNode('Loop', 'loop', [count, condition, 'x'], ['y', 'all'], { body: graph(doubling) }),
      ],
      constants: {
        three: intConstant([], [3]),
        many: intConstant([], [5000]),
        yes: numberConstant('bool', [], [1]),
      },
    });

  it('of a constant number of steps is written out', async () => {
    // onnxruntime wants to know the types within a loop, which a graph here does not keep.
    const { program } = await lowered(await expanded(looping('three', 'yes')), { batch: 2 });
    const [result, all] = await runProgram(program, feeds(true).slice(0, 1));
    const steps = [0, 1, 2].reduce<number[][]>(
      (so, step) => [...so, so.at(-1)!.map((value) => 2 * value + step)],
      [[1, -2, 3, -4, 5, -6]],
    );
    expect(all?.dims).toEqual([3, 2, 3]);
    expect(asNumbers(all!)).toEqual(steps.slice(1).flat());
    expect(asNumbers(result!)).toEqual(steps.at(-1));
    const [given, leftOut] = await Promise.all(
      ['yes', ''].map(async (condition) => ops(await expanded(looping('three', condition)))),
    );
    expect(leftOut).toEqual(given);
  });

  it.each([
    ['n', /as often as its data say/],
    ['many', /5000 steps of 3 nodes; at most 1024 steps/],
  ])('of %s steps is refused', async (count, text) => {
    const [problem] = unsupportedOperators(await expanded(looping(count)));
    expect(problem?.op).toBe('Loop');
    expect(problem?.why).toMatch(text);
  });
});

describe('Scan', () => {
  it('is written out, backwards and along other axes', async () => {
    const sums = body(
      ['sum', 'piece'],
      ['next', 'given'],
      [
        makeNode('Add', 'add', ['sum', 'piece'], ['next']),
        makeNode('Neg', 'minus', ['next'], ['given']),
      ],
    );
    const given = makeGraph({
      inputs: [x],
      outputs: [y, { ...y, name: 'all' }],
      nodes: [
        makeNode('ReduceSum', 'zero', ['x', 'axis'], ['any'], { keepdims: int(0) }),
        makeNode('Scan', 'scan', ['any', 'x'], ['y', 'all'], {
          body: graph(sums),
          num_scan_inputs: int(1),
          scan_input_axes: { kind: 'ints', value: [-1] },
          scan_input_directions: { kind: 'ints', value: [1] },
          scan_output_axes: { kind: 'ints', value: [1] },
          scan_output_directions: { kind: 'ints', value: [1] },
        }),
      ],
      constants: { axis: intConstant([1], [1]) },
    });
    const compared = await runGraphBoth(given, { batch: 2 });
    expect(compared.results[1]?.dims).toEqual([2, 3]);
    expect(differenceOf(compared)).toBeLessThan(1e-6);
  });
});

describe('functions of a model', () => {
  /** scale(a) = a * by, `by` an attribute, 2 where it is left out; twice(a) calls it in a branch. */
  function calling(attributes: Record<string, Attribute>): Graph {
    const by = makeNode('Constant', 'by', [], ['by'], {
      value_float: { kind: 'reference', name: 'by' },
    });
    const scale = body(['a'], ['b'], [by, makeNode('Mul', 'mul', ['a', 'by'], ['b'])]);
    const call = body(
      [],
      ['own'],
      [
        makeNode('own.Scale', 'call', ['a'], ['own'], {
          by: { kind: 'reference', name: 'factor' },
        }),
      ],
    );
    const twice = body(
      ['a', 'on'],
      ['b'],
      [makeNode('If', 'if', ['on'], ['b'], { then_branch: graph(call), else_branch: graph(call) })],
    );
    const opsets = new Map([['', 17]]);
    const defaults = new Map<string, Attribute>([['by', { kind: 'float', value: 2 }]]);
    return {
      ...makeGraph({
        inputs: [x],
        outputs: [y],
        nodes: [
          makeNode('own.Twice', 'first', ['x', 'yes'], ['z'], attributes),
          makeNode('own.Scale', 'second', ['z'], ['y']),
        ],
        constants: { yes: numberConstant('bool', [], [1]), w: floatConstant([], [1]) },
      }),
      functions: new Map([
        ['own.Scale', { body: scale, opsets, defaults }],
        ['own.Twice', { body: twice, opsets, defaults: new Map() }],
      ]),
    };
  }

  it.each([
    [{ factor: { kind: 'float', value: 3 } } as const, 6],
    [{}, 4],
  ])('are written out where they are called: %j', async (attributes, factor) => {
    const given = await expanded(calling(attributes));
    expect(ops(given)).toEqual(['Mul', 'Mul']);
    const { results } = await runGraphBoth(given, { batch: 2 }, feeds(true));
    expect(asNumbers(results[0]!)).toEqual([1, -2, 3, -4, 5, -6].map((one) => one * factor));
  });

  it('that call themselves are refused', async () => {
    const self = body(['a'], ['b'], [makeNode('own.Self', 'again', ['a'], ['b'])]);
    const given = makeGraph({
      inputs: [x],
      outputs: [y],
      nodes: [makeNode('own.Self', 'call', ['x'], ['y'])],
    });
    given.functions = new Map([
      ['own.Self', { body: self, opsets: new Map(), defaults: new Map() }],
    ]);
    const [problem] = unsupportedOperators(await expanded(given));
    expect(problem?.why).toMatch(/calls itself/);
  });
});
