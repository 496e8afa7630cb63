import { describe, expect, it } from 'vitest';
import { modelOperators } from '../../operators/index.js';
import { makeNode } from '../graph.js';
import { makeGraph } from '../../testing/run-program.js';
import { unsupportedOperators } from './index.js';

describe('operators that are never run', () => {
  it.each([
    ['RandomNormalLike', /random numbers/],
    ['StringNormalizer', /text/],
    ['SequenceAt', /sequences/],
    ['ai.onnx.ml.ZipMap', /zipmap=False/],
    ['NoSuchOperator', /not supported/],
  ])('%s: is refused with its reason', (op, reason) => {
    const nodes = [makeNode(op, 'node', ['x'], ['y'])];
    const graph = makeGraph({ inputs: [], outputs: [], nodes });
    expect(modelOperators.has(op)).toBe(false);
    const [problem, ...others] = unsupportedOperators(graph);
    expect(others).toEqual([]);
    expect(`${problem!.why}; ${problem!.advice}`).toMatch(reason);
  });
});
