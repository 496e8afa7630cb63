import { expect, it } from 'vitest';
import { makeGraph } from '../testing/run-program.js';
import { makeNode, type GraphNode } from './graph.js';
import { inFileTerms } from './origins.js';

const graph = (...nodes: GraphNode[]) => makeGraph({ inputs: [], outputs: [], nodes });
const problem = (node: GraphNode, why: string) => ({
  node: node.name,
  op: node.op,
  why,
  advice: 'change it',
});

const dequantize = makeNode('DequantizeLinear', 'dq', ['q', 'scale'], ['w']);
const product = makeNode('MatMul', 'product', ['x', 'w'], ['p']);
const sum = makeNode('Add', 'sum', ['p', 'b'], ['y']);
const file = graph(dequantize, product, sum);
const fused = makeNode('com.microsoft.Fused', 'made/by/fusion', ['x', 'q', 'scale', 'b'], ['y']);

it('takes the problems of the nodes that a fused one was made of', () => {
  const cleaned = { graph: graph(fused), problems: [problem(fused, 'is not supported')] };
  const own = problem(dequantize, 'has a computed scale');
  expect(inFileTerms(cleaned, { graph: file, problems: [own] })).toEqual([own]);
});

it('names the nodes of the file where none of them has a problem of its own', () => {
  const cleaned = { graph: graph(fused), problems: [problem(fused, 'is not supported')] };
  expect(inFileTerms(cleaned, { graph: file, problems: [] })).toEqual([
    {
      node: 'sum',
      op: 'Add',
      why: 'is not supported (of Add "sum", MatMul "product", DequantizeLinear "dq")',
      advice: 'change it',
    },
  ]);
});

it('leaves what is in the file as it is', () => {
  const kept = [problem(product, 'multiplies a vector')];
  expect(inFileTerms({ graph: file, problems: kept }, { graph: file, problems: [] })).toEqual(kept);
});

it('tells all problems of the file where a fused node leads nowhere', () => {
  const renamed = makeNode('com.microsoft.Fused', 'fused', ['x'], ['new_name']);
  const own = [problem(sum, 'adds'), problem(product, 'multiplies')];
  const cleaned = { graph: graph(renamed), problems: [problem(renamed, 'is not supported')] };
  expect(inFileTerms(cleaned, { graph: file, problems: own })).toEqual(own);
});
