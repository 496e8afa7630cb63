import type { DTypeName } from '../dtype.js';
import { oneOf, u32 } from './attribute.js';
import { operator } from './description.js';
import { ClassRule, PostTransform } from './post-transform.js';

/** How scores of trees become one. */
export const TreeAggregate = { sum: 0, average: 1, min: 2, max: 3 } as const;
export type TreeAggregateName = keyof typeof TreeAggregate;

/** What a node compares a feature with its threshold by; a leaf has scores in place of children. */
export const TreeMode = {
  atMost: 0,
  below: 1,
  atLeast: 2,
  above: 3,
  equal: 4,
  notEqual: 5,
  leaf: 7,
  /** Added to the others: a feature that is NaN goes to the child of what is true. */
  missingIsTrue: 8,
} as const;

const real: readonly DTypeName[] = ['float32', 'float64'];

/**
 * X [n, features], nodes int32 [count, 4], thresholds [count], targets int32 [scores], scores [scores],
 * roots int32 [trees], start? [targets]: sums over the leaves that each row reaches, [n, targets]; of
 * classes, also the index of each row's class, [n].
 *
 * A node is its feature, its mode, its child where the comparison is true, and the other; children stand
 * behind it. A leaf is its first score, its mode, how many scores it has, and 0. Numbers all have X's type.
 */
export const treeEnsemble = operator({
  code: 110,
  name: 'TreeEnsemble',
  attributes: {
    targets: u32,
    aggregate: oneOf(TreeAggregate),
    transform: oneOf(PostTransform),
    classes: oneOf(ClassRule),
  },
  inputs: [real, ['int32'], real, ['int32'], real, ['int32'], real],
  outputs: [0, 'int64'],
});
