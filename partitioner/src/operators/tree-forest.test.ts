import { describe, expect, it } from 'vitest';
import { TreeMode } from '@canopy/protocol';
import { numberConstant } from '../graph/constant.js';
import { makeNode, type Attribute, type GraphNode } from '../graph/graph.js';
import { forestOfEnsemble, listed } from './tree-forest.js';

const ints = (...value: number[]): Attribute => ({ kind: 'ints', value });
const tensor = (dtype: 'float32' | 'uint8', ...values: number[]): Attribute => ({
  kind: 'tensor',
  value: numberConstant(dtype, [values.length], values),
});

/** Whether feature 0 is 1, 3 or 4, then whether feature 1 is at most 1.5. */
function ensemble(changes: Record<string, Attribute> = {}): GraphNode {
  return makeNode('ai.onnx.ml.TreeEnsemble', 'node', ['x'], ['y'], {
    nodes_featureids: ints(0, 1),
    nodes_modes: tensor('uint8', 6, 0),
    nodes_splits: tensor('float32', 0, 1.5),
    membership_values: tensor('float32', 1, 3, 4, NaN),
    nodes_truenodeids: ints(0, 1),
    nodes_trueleafs: ints(1, 1),
    nodes_falsenodeids: ints(1, 2),
    nodes_falseleafs: ints(0, 1),
    leaf_targetids: ints(0, 0, 0),
    leaf_weights: tensor('float32', 1, 2, 4),
    tree_roots: ints(0),
    ...changes,
  });
}

/** Scores that a row gathers on the way that a worker goes. */
function walked(node: GraphNode, row: readonly number[]): number {
  const { nodes, thresholds, scores, roots } = listed(forestOfEnsemble(node));
  let at = roots[0]!;
  for (;;) {
    const [feature, mode, yes, no] = nodes.slice(4 * at, 4 * at + 4) as [
      number,
      number,
      number,
      number,
    ];
    if (mode === TreeMode.leaf) return scores[feature]!;
    const isEqual = mode === TreeMode.equal;
    const value = row[feature]!;
    const next = (isEqual ? value === thresholds[at] : value <= thresholds[at]!) ? yes : no;
    expect(next).toBeGreaterThan(at);
    at = next;
  }
}

describe('trees of TreeEnsemble', () => {
  it('makes a comparison of each member of a list', () => {
    for (const value of [1, 3, 4]) expect(walked(ensemble(), [value, 9])).toBe(1);
    expect(walked(ensemble(), [2, 1])).toBe(2);
    expect(walked(ensemble(), [0, 2])).toBe(4);
  });

  it('refuses nodes that lead back to themselves, or nowhere', () => {
    const circle = ensemble({ nodes_falsenodeids: ints(0, 2) });
    expect(() => listed(forestOfEnsemble(circle))).toThrow(/again and again/);
    const nowhere = ensemble({ nodes_truenodeids: ints(7, 1) });
    expect(() => listed(forestOfEnsemble(nowhere))).toThrow(/no node/);
  });
});
