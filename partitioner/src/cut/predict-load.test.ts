import { encodeBundle } from '@canopy/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { sampleFeeds } from '../graph/measure.js';
import { readOnnx } from '../onnx/read-model.js';
import { formatPlan, planModel, predictLoad } from '../index.js';
import { timedModels } from '../testing/models.js';

describe('the forecast of a model of one tiny operation', () => {
  const { path } = timedModels['tiny-gemm']!;
  const planned = planModel(path);
  afterAll(async () => {
    (await planned).close();
  });

  it('is bound by the coordinator, not by the work', async () => {
    const { expectation } = await planned;
    expect(expectation.inferencesPerRound).toBeGreaterThan(45);
    expect(expectation.inferencesPerRound).toBeLessThan(65);
    expect(expectation.roundsForOne).toBe(1);
  });

  it('says under which load, and is what that load gives', async () => {
    const { plan, expectation } = await planned;
    const { requests, concurrency, rowsPerRequest: rows } = expectation.load;
    const { rounds, steadyPerRound } = predictLoad(plan, {
      requests,
      concurrency,
      rows,
      bytes: encodeBundle(sampleFeeds(readOnnx(path), {}, rows)).length,
    });
    const rate = (steadyPerRound ?? requests / rounds) * rows;
    expect(Math.abs(expectation.inferencesPerRound / rate - 1)).toBeLessThan(0.01);
    expect(formatPlan(await planned)).toContain(
      `canopy bench --workers 1 --batch ${rows} --concurrency ${concurrency}`,
    );
  });

  it('takes few simulated messages, though a message of work would hold thousands of tasks', async () => {
    const { plan, expectation } = await planned;
    const { requests, concurrency } = expectation.load;
    const load = { requests, concurrency, rows: 1, bytes: 200 };
    expect(predictLoad(plan, load).messages).toBeLessThan(10 * requests);
    expect(requests).toBeLessThanOrEqual(2048);
  });

  it('counts the cycles of the coordinator too', async () => {
    // 32.0 B were counted for a thousand on the embedded IC.
    const { cyclesPerThousand } = (await planned).expectation;
    expect(Math.abs(cyclesPerThousand / 32.0e9 - 1)).toBeLessThan(0.1);
  });
});
