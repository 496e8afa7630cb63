import { TreeMode } from '@canopy/protocol';
import type { GraphNode } from '../graph/graph.js';
import { UnsupportedNode } from '../graph/lower/lowering.js';
import { numbersOf, realsOf, stringsOf } from './ml-attributes.js';

/** A node of a tree as a model has it: its children by number, or the scores of a leaf. */
interface TreeNode {
  feature: number;
  mode: number;
  threshold: number;
  whenTrue: number;
  whenFalse: number;
  scores: readonly (readonly [target: number, score: number])[];
}

/** Nodes of all trees, and those that trees begin with. */
export interface Forest {
  node: (index: number) => TreeNode;
  roots: readonly number[];
  /** How many nodes there are. */
  count: number;
}

/** The lists that a worker's TreeEnsemble takes: children stand behind their parents. */
export interface ForestLists {
  nodes: number[];
  thresholds: number[];
  targets: number[];
  scores: number[];
  roots: number[];
}

function broken(why: string): UnsupportedNode {
  return new UnsupportedNode(`has trees of which ${why}`, 'export the model again');
}

/** Each node in front of its children, tree by tree. Throws where nodes lead back to themselves. */
export function listed(forest: Forest): ForestLists {
  const lists: ForestLists = { nodes: [], thresholds: [], targets: [], scores: [], roots: [] };
  // Leaves that several parents share are written for each.
  const most = 4 * forest.count + 16;
  for (const root of forest.roots) {
    lists.roots.push(lists.thresholds.length);
    const open: { index: number; parent?: number }[] = [{ index: root }];
    while (open.length > 0) {
      const { index, parent } = open.pop()!;
      const at = lists.thresholds.length;
      if (at > most) throw broken('some nodes are reached again and again');
      // A parent is followed by the child where its comparison is true.
      if (parent !== undefined) {
        const place = lists.nodes[4 * parent + 2] === 0 ? 2 : 3;
        lists.nodes[4 * parent + place] = at;
      }
      const node = forest.node(index);
      lists.thresholds.push(node.threshold);
      if (node.mode === TreeMode.leaf) {
        lists.nodes.push(lists.scores.length, node.mode, node.scores.length, 0);
        for (const [target, score] of node.scores) {
          lists.targets.push(target);
          lists.scores.push(score);
        }
      } else {
        lists.nodes.push(node.feature, node.mode, 0, 0);
        open.push({ index: node.whenFalse, parent: at }, { index: node.whenTrue, parent: at });
      }
    }
  }
  return lists;
}

const modes: Readonly<Record<string, number>> = {
  BRANCH_LEQ: TreeMode.atMost,
  BRANCH_LT: TreeMode.below,
  BRANCH_GTE: TreeMode.atLeast,
  BRANCH_GT: TreeMode.above,
  BRANCH_EQ: TreeMode.equal,
  BRANCH_NEQ: TreeMode.notEqual,
  LEAF: TreeMode.leaf,
};

/**
 * Trees of TreeEnsembleRegressor and TreeEnsembleClassifier: nodes by the numbers of tree and node.
 *
 * @param what `target` or `class`, as the names of attributes of scores begin
 */
export function forestOfLists(node: GraphNode, what: 'target' | 'class'): Forest {
  const trees = numbersOf(node, 'nodes_treeids');
  const ids = numbersOf(node, 'nodes_nodeids');
  const features = numbersOf(node, 'nodes_featureids');
  const thresholds = realsOf(node, 'nodes_values');
  const names = stringsOf(node, 'nodes_modes');
  const whenTrue = numbersOf(node, 'nodes_truenodeids');
  const whenFalse = numbersOf(node, 'nodes_falsenodeids');
  const missing = numbersOf(node, 'nodes_missing_value_tracks_true');
  const lists = [ids, features, thresholds, names, whenTrue, whenFalse];
  if (trees.length === 0 || lists.some(({ length }) => length !== trees.length)) {
    throw broken('lists differ in length');
  }
  const places = new Map(trees.map((tree, index) => [`${tree} ${ids[index]}`, index]));
  const place = (tree: number, id: number): number => {
    const index = places.get(`${tree} ${id}`);
    if (index === undefined) throw broken(`tree ${tree} has no node ${id}`);
    return index;
  };
  const scores = trees.map((): [number, number][] => []);
  const targets = numbersOf(node, `${what}_ids`);
  const scoreTrees = numbersOf(node, `${what}_treeids`);
  const scoreNodes = numbersOf(node, `${what}_nodeids`);
  const weights = realsOf(node, `${what}_weights`);
  targets.forEach((target, index) => {
    scores[place(scoreTrees[index]!, scoreNodes[index]!)]!.push([target, weights[index]!]);
  });
  return {
    count: trees.length,
    roots: [...trees.keys()].filter((index) => trees[index] !== trees[index - 1]),
    node: (index) => {
      const mode = modes[names[index]!];
      if (mode === undefined) throw broken(`a node has the mode ${names[index]}`);
      const isLeaf = mode === TreeMode.leaf;
      return {
        feature: features[index]!,
        mode: isLeaf || missing[index] !== 1 ? mode : mode + TreeMode.missingIsTrue,
        threshold: thresholds[index]!,
        whenTrue: isLeaf ? 0 : place(trees[index]!, whenTrue[index]!),
        whenFalse: isLeaf ? 0 : place(trees[index]!, whenFalse[index]!),
        scores: scores[index]!,
      };
    },
  };
}

/** The mode of TreeEnsemble that asks whether a feature is one of several numbers. */
const member = 6;

/** Trees of TreeEnsemble, operator set 5: leaves in lists of their own. */
export function forestOfEnsemble(node: GraphNode): Forest {
  const features = numbersOf(node, 'nodes_featureids');
  const given = numbersOf(node, 'nodes_modes');
  const thresholds = numbersOf(node, 'nodes_splits');
  const whenTrue = numbersOf(node, 'nodes_truenodeids');
  const whenFalse = numbersOf(node, 'nodes_falsenodeids');
  const trueLeaves = numbersOf(node, 'nodes_trueleafs');
  const falseLeaves = numbersOf(node, 'nodes_falseleafs');
  const missing = numbersOf(node, 'nodes_missing_value_tracks_true');
  const targets = numbersOf(node, 'leaf_targetids');
  const weights = numbersOf(node, 'leaf_weights');
  const nodes: TreeNode[] = features.map((feature, index) => ({
    feature,
    mode: given[index]! + (missing[index] === 1 ? TreeMode.missingIsTrue : 0),
    threshold: thresholds[index]!,
    whenTrue: whenTrue[index]! + (trueLeaves[index] === 1 ? features.length : 0),
    whenFalse: whenFalse[index]! + (falseLeaves[index] === 1 ? features.length : 0),
    scores: [],
  }));
  targets.forEach((target, index) => {
    const leaf = { feature: 0, mode: TreeMode.leaf, threshold: 0, whenTrue: 0, whenFalse: 0 };
    nodes.push({ ...leaf, scores: [[target, weights[index]!]] });
  });
  // A node with a list of members becomes one for each, one behind the other.
  const sets = membersOf(node);
  for (const [index, mode] of given.entries()) {
    const found = nodes[index]!;
    if (mode !== member) continue;
    const [head = NaN, ...rest] = sets.shift() ?? [];
    found.mode += TreeMode.equal - member;
    found.threshold = head;
    const { whenFalse } = found;
    let last = found;
    for (const threshold of rest) {
      const next = { ...found, threshold, whenFalse };
      last.whenFalse = nodes.length;
      nodes.push(next);
      last = next;
    }
  }
  return {
    count: nodes.length,
    roots: numbersOf(node, 'tree_roots'),
    node: (index) => {
      const found = nodes[index];
      if (!found || (found.mode & 7) === member) throw broken(`there is no node ${index}`);
      return found;
    },
  };
}

/** Members of each node that has such a list: NaN stands behind each list. */
function membersOf(node: GraphNode): number[][] {
  const sets: number[][] = [[]];
  for (const value of numbersOf(node, 'membership_values')) {
    if (Number.isNaN(value)) sets.push([]);
    else sets.at(-1)!.push(value);
  }
  return sets;
}
