/** The embedded IC's own server stands for a PocketIC server and for a replica. */
import { fileURLToPath } from 'node:url';
import { CallRejected, httpTransport, type AgentTransport } from '@canopy/client';
import { startLive, startServer } from '@canopy/local-ic';
import { describe, expect, it } from 'vitest';
import { benchmark, type BenchmarkOptions } from '../custom.js';
import type { MeasuredRun } from '../results/schema.js';
import { icText } from '../report/ic-text.js';
import { runTable } from '../report/run-table.js';

const path = fileURLToPath(
  new URL('../../../pocketic-tests/models/digits-cnn/model.onnx', import.meta.url),
);
const options: BenchmarkOptions = {
  path,
  workers: [1, 3],
  batches: [2],
  concurrencies: [2, 20],
  canopyVersion: '0',
};

/** What an IC tells that shows only rounds, cycles, memory and the workers' own counts. */
function visible(run: MeasuredRun): unknown {
  return {
    load: [run.way, run.workers, run.batch, run.concurrency, run.requests],
    rounds: run.rounds,
    inferencesPerRound: run.inferencesPerRound,
    model: run.instructionsPerInput.model,
    stages: run.stages.map((stage) => ({
      ...stage,
      counted: null,
      pages: null,
      sliceFullness: null,
    })),
    cycles: run.cyclesPer1000,
    storage: run.storageUsdPer30Days,
    coordinator: run.coordinator,
  };
}

const unseen = {
  steady: null,
  sliceFullness: null,
  atWork: null,
  heapChangedPerRound: null,
  costSchedule: null,
};

describe('a PocketIC server', () => {
  it('gives the rounds, cycles and instructions of the embedded IC', async () => {
    const server = await startServer();
    try {
      const ic = { kind: 'pocket-ic', url: server.url, version: 'local-ic 0' } as const;
      const measured = await benchmark({ ...options, ic });
      expect(icText(measured.ic)).toBe(`a PocketIC server (local-ic 0) at ${server.url}`);
      const embedded = await benchmark(options);
      expect(measured.runs).toHaveLength(5);
      expect(measured.runs.map(visible)).toEqual(embedded.runs.map(visible));
      for (const run of measured.runs) {
        expect(run).toMatchObject({ unit: 'round', seconds: null, ...unseen });
        expect(run.instructionsPerInput).toMatchObject({
          workers: null,
          pages: null,
          coordinator: null,
        });
      }
    } finally {
      await server.stop();
    }
  });

  it('that is not there, or none, is named', async () => {
    const at = (url: string): Promise<unknown> =>
      benchmark({ ...options, ic: { kind: 'pocket-ic', url } });
    const ended = await startServer();
    await ended.stop();
    await expect(at(ended.url)).rejects.toMatchObject({
      code: 'unreachable',
      message: `no PocketIC server answers at ${ended.url}: ECONNREFUSED`,
    });
    const live = await startLive();
    await expect(at(live.url)).rejects.toMatchObject({
      code: 'not-pocket-ic',
      message: expect.stringContaining(`${live.url} is no PocketIC server: it answers `) as unknown,
    });
    await live.stop();
  });
});

describe('a replica', () => {
  it('that gives no cycles away is named', async () => {
    const url = 'https://replica.example';
    const refusing = {
      principal: () => Promise.resolve('2vxsx-fae'),
      isLocal: () => Promise.resolve(true),
      createCanister: () =>
        Promise.reject(new CallRejected(5, 'not allowed to call provisional_…')),
    } as unknown as AgentTransport;
    const ic = { kind: 'replica', url, transport: refusing } as const;
    await expect(benchmark({ ...options, ic })).rejects.toThrow(
      'creating the canister of the coordinator: https://replica.example creates no canister: not ' +
        'allowed to call provisional_…; a benchmark needs a replica that gives cycles for tests away, ' +
        'as a local one does',
    );
  });

  it('gives seconds', async () => {
    const live = await startLive();
    try {
      const { url, effectiveCanisterId } = live;
      const transport = await httpTransport({ host: url, effectiveCanisterId });
      const ic = { kind: 'replica', url, transport } as const;
      const { runs, ...result } = await benchmark({ ...options, workers: [2], ic });
      expect(result.ic).toEqual({ kind: 'replica', version: null, url });
      expect(runs).toHaveLength(2);
      for (const run of runs) {
        expect(run).toMatchObject({
          unit: 'second',
          rounds: null,
          inferencesPerRound: null,
          ...unseen,
        });
        const { seconds, inferencesPerSecond } = run;
        expect(seconds!.median).toBeGreaterThan(0);
        expect(seconds!.p95).toBeLessThanOrEqual(seconds!.total);
        expect(inferencesPerSecond).toBeCloseTo((run.requests * run.batch) / seconds!.total);
        expect(run.cyclesPer1000).toBeGreaterThan(0);
        expect(run.coordinator!.heapBytes).toBeGreaterThan(0);
      }
      const table = runTable(runs);
      expect(table).toContain('inferences a second');
      expect(table).not.toContain('rounds');
    } finally {
      await live.stop();
    }
  });
});
