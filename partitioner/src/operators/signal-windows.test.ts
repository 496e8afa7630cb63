import { describe, expect, it } from 'vitest';
import type { BundleTensor } from '@canopy/protocol';
import { makeNode } from '../graph/graph.js';
import { runOnce } from '../onnx/runtime.js';
import { writeOnnx } from '../onnx/write-model.js';
import { largestDifference } from '../testing/run-plan.js';
import { lowered, makeGraph, runProgram } from '../testing/run-program.js';

/** The computed size of a window. */
function size(value: number): BundleTensor {
  const data = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
  return { name: 'size', dtype: 'int64', dims: [], data };
}

describe.each(['HannWindow', 'HammingWindow', 'BlackmanWindow'])('%s', (op) => {
  it.each([1, 0])('periodic %i: as onnxruntime, of any size', async (periodic) => {
    const graph = makeGraph({
      inputs: [{ name: 'size', dtype: 'int64', dims: [] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: undefined }],
      nodes: [
        makeNode(op, 'node', ['size'], ['y'], { periodic: { kind: 'int', value: periodic } }),
      ],
    });
    const { program } = await lowered(graph);
    for (const value of [2, 5, 400]) {
      const feeds = [size(value)];
      const wanted = (await runOnce(writeOnnx(graph), feeds)).get('y')!;
      const [result] = await runProgram(program, feeds);
      expect([...result!.dims]).toEqual([value]);
      expect(largestDifference(result!, { ...wanted, name: 'y' })).toBeLessThan(1e-6);
    }
  });
});
