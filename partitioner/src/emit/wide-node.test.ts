import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeNode } from '../graph/graph.js';
import { planModel } from '../index.js';
import { runOnce, sampleTensor } from '../onnx/runtime.js';
import { writeOnnx } from '../onnx/write-model.js';
import { shardBytes } from '../testing/run-plan.js';
import { makeGraph } from '../testing/run-program.js';
import { WorkersOnIc } from '../testing/worker-on-ic.js';

it('a worker joins 300 inputs as onnxruntime does', async () => {
  const parts = Array.from({ length: 300 }, (_, index) => ['x', 'n', 'r'][index % 3]!);
  const long = `${'a name as exporters nest them/'.repeat(3000)}join`;
  const graph = makeGraph({
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 5] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', 1500] }],
    nodes: [
      makeNode('Neg', 'negate', ['x'], ['n']),
      makeNode('Exp', 'raise', ['x'], ['r']),
      makeNode('Concat', long, parts, ['y'], { axis: { kind: 'int', value: 1 } }),
    ],
  });
  const folder = mkdtempSync(join(tmpdir(), 'canopy-wide-'));
  const path = join(folder, 'wide.onnx');
  writeFileSync(path, writeOnnx(graph));
  const planned = await planModel(path);
  const { stages, instructionBudget } = planned.plan;
  const shards = await Promise.all(stages.map(({ index }) => shardBytes(planned, index)));
  const feeds = [sampleTensor('x', 'float32', [3, 5])];
  const { outputs } = new WorkersOnIc('2026-07').deploy(shards, instructionBudget).run(feeds);
  const expected = (await runOnce(path, feeds)).get('y')!;
  const [got, want] = [outputs[0]!, expected].map(
    ({ data }) => new Float32Array(data.slice().buffer),
  );
  expect(outputs[0]!.dims).toEqual([3, 1500]);
  got!.forEach((value, index) => {
    expect(value).toBeCloseTo(want![index]!, 5);
  });
  planned.close();
  rmSync(folder, { recursive: true });
});
