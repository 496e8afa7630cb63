import {
  encodeAttributes,
  encodeBundle,
  encodeShardHead,
  EnqueueMode,
  OpCode,
  type ShardProgram,
} from '@canopy/protocol';
import { describe, expect, it } from 'vitest';
import { workerModule } from '../../testing/module.js';
import { cut, firstColumn, Pipeline, rows } from '../../testing/pipeline.js';
import { TestIc } from '../../testing/test-ic.js';

const names = ['x', 'flag', 'a', 'b', 'y'];
const node = (op: number, inputs: number[], outputs: number[], attributes: number[] = []) => ({
  ...{ op, name: `node of ${op}`, inputs, outputs, attributes },
  frees: [],
});
const negate = encodeAttributes('Unary', { kind: 'neg', alpha: 0, beta: 0 });
const branch = (when: boolean, nodes: number) =>
  node(OpCode.Branch, [1], [], encodeAttributes('Branch', { when, nodes }));

/** x, flag: a worker with these nodes, and what it makes of 5. */
function run(nodes: ShardProgram['nodes'], output: number, flag: boolean): number | string {
  const values = names.map((name, index) => ({
    name,
    dtype: index === 1 ? ('bool' as const) : ('float32' as const),
  }));
  const head = encodeShardHead({ values, nodes, inputs: [0, 1], outputs: [output] }, 0);
  const pipeline = new Pipeline(new TestIc(workerModule), [1]);
  pipeline.shards[0] = cut(head);
  for (const worker of pipeline.workers) worker.mayTrap = false;
  pipeline.deploy();
  const condition = { name: '', dtype: 'bool' as const, dims: [], data: Uint8Array.of(+flag) };
  const call = pipeline.enqueue(EnqueueMode.wait, 1n, [encodeBundle([rows([5]), condition])]);
  pipeline.ic.runUntil(() => call.answer !== undefined);
  const result = pipeline.resultOf(call.answer);
  if (result?.status === 'failed') return result.text;
  if (result?.status !== 'done') throw new Error('no result');
  return firstColumn(result.tasks[0]!.bundle)[0]!;
}

describe('a branch', () => {
  const chosen = [
    branch(true, 1),
    node(OpCode.Unary, [0], [2], negate),
    branch(false, 1),
    node(OpCode.Identity, [0], [3]),
    node(OpCode.Select, [1, 2, 3], [4]),
  ];
  it('leaves out the nodes of the other', () => {
    expect(run(chosen, 4, true)).toBe(-5);
    expect(run(chosen, 4, false)).toBe(5);
  });

  it('that leaves out what a node or the program needs is told', () => {
    const needed = [branch(true, 1), node(OpCode.Unary, [0], [2], negate)];
    const read = [...needed, node(OpCode.Unary, [2], [4], negate)];
    expect(run(read, 4, true)).toBe(5);
    expect(run(read, 4, false)).toMatch(/its input "a" was left out by a branch/);
    expect(run(needed, 2, true)).toBe(-5);
    expect(run(needed, 2, false)).toMatch(/output "a" was left out by a branch/);
  });

  it('that leaves out more nodes than there are ends the program', () => {
    expect(run([branch(true, 4_000_000_000), ...chosen.slice(1)], 4, false)).toMatch(
      /output "y" was left out by a branch/,
    );
  });
});
