import { expect, it } from 'vitest';
import { fixValues } from './fix-values.js';
import { allInts } from './graph/constant.js';
import type { Graph } from './graph/graph.js';
import { makeGraph } from './testing/run-program.js';

function model(): Graph {
  return makeGraph({
    inputs: [
      { name: 'x', dtype: 'float32', dims: ['batch', 'steps', 'steps + 1'] },
      { name: 'rate', dtype: 'int64', dims: [] },
      { name: 'window', dtype: 'float32', dims: [undefined] },
    ],
    outputs: [],
    nodes: [],
  });
}

it('makes constants of inputs, and sizes of open dimensions and what is spelt of them', () => {
  const graph = model();
  const constants = fixValues(graph, { rate: 16000, steps: [4], window_0: 2 });
  expect([...constants.keys()]).toEqual(['rate']);
  expect(allInts(constants.get('rate')!)).toEqual([16000]);
  expect(graph.inputs.map(({ name, dims }) => [name, dims])).toEqual([
    ['x', ['batch', 4, 5]],
    ['window', [2]],
  ]);
});

it.each([
  [{ speed: 1 }, /no input and no open dimension "speed"; it has "x", "rate", "window", "batch"/],
  [{ rate: 0.5 }, /"rate" is int64, and 0.5 is no whole number/],
  [{ rate: [1, 2] }, /"rate" takes 1 numbers, given 2/],
  [{ window: [1, 2] }, /"window" has open dimensions/],
  [{ batch: -1 }, /dimension "batch" is -1/],
  [{ batch: [1, 2] }, /dimension "batch" is 1,2/],
])('refuses %j', (fixed, text) => {
  expect(() => fixValues(model(), fixed as Record<string, number | number[]>)).toThrow(text);
});
