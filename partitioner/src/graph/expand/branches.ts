import { graphAttribute, selectOperator, type GraphNode } from '../graph.js';
import type { Inliner } from './inline.js';

/** Puts one branch of an If in its place; false where there is none. */
export function takeBranch(inliner: Inliner, node: GraphNode, isTrue: boolean): boolean {
  const body = graphAttribute(node, isTrue ? 'then_branch' : 'else_branch');
  if (!body) return false;
  const results = inliner.body(body, node.name, []);
  node.outputs.forEach((output, index) => {
    inliner.rename(results[index]!, output);
  });
  return true;
}

/**
 * Puts both branches of an If in its place, and a Select for each result: what only one of its inputs needs
 * is run where that one is taken.
 */
export function takeBoth(inliner: Inliner, node: GraphNode): boolean {
  const bodies = ['then_branch', 'else_branch'].map((name) => graphAttribute(node, name));
  const [yes, no] = bodies.map((body) => body && inliner.body(body, node.name, []));
  if (!yes || !no) return false;
  const condition = node.inputs[0]!;
  node.outputs.forEach((output, index) => {
    if (output === '') return;
    const chosen = inliner.add(selectOperator, `${node.name}/chosen`, [
      condition,
      yes[index]!,
      no[index]!,
    ]);
    inliner.rename(chosen, output);
  });
  return true;
}
