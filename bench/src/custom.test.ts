import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { benchmark } from './custom.js';
import { isObserved } from './results/schema.js';

const path = fileURLToPath(
  new URL('../../pocketic-tests/models/digits-cnn/model.onnx', import.meta.url),
);

describe("one's own model", () => {
  it('is measured in every combination, and its answers checked', async () => {
    const seen: string[] = [];
    const result = await benchmark({
      path,
      workers: [1, 2],
      batches: [1, 3],
      concurrencies: [2],
      canopyVersion: '0',
      onRun: (run) => seen.push(`${run.way}${run.workers} ${run.batch}x${run.concurrency}`),
    });
    expect(seen).toEqual(['a1 1x2', 'd1 1x2', 'd1 3x2', 'd2 1x2', 'd2 3x2']);
    expect(result.models).toMatchObject([{ name: 'digits-cnn', inputBytes: 256 }]);
    expect(result.ic).toEqual({ kind: 'embedded', version: '0', url: null });
    for (const run of result.runs) {
      if (!isObserved(run)) throw new Error('slices were not observed');
      const { workers, model, coordinator } = run.instructionsPerInput;
      expect(model).toBeGreaterThan(100_000);
      expect(workers).toBeGreaterThan(model);
      expect(coordinator).toBeLessThan(20_000_000);
      expect(run.cyclesPer1000).toBeGreaterThan(1000 * workers);
      expect(run.stages).toHaveLength(run.workers);
    }
  });

  it('is refused where a request does not fit a message', async () => {
    const options = { path, workers: [1], batches: [1, 9000], concurrencies: [1] };
    await expect(benchmark({ ...options, canopyVersion: '0' })).rejects.toThrow(
      /^a request of 9000 inputs has 2\.2 MiB, and the IC takes messages of 2 MiB: 7\d\d\d inputs fit$/,
    );
  });
});
