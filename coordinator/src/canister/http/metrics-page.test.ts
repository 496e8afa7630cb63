import { describe, expect, test } from 'vitest';
import { encodeWorkerStatus, WorkerState } from '@canopy/protocol';
import { Coordinator } from '../coordinator.js';
import { FakeIc, moreWorkerIds, samplePlan, workerIds } from '../../testing/fake-ic.js';
import { CallFailure } from '../ic/ic.js';
import { restoreTraffic, saveTraffic } from '../state.js';
import { httpAnswer } from './answer.js';
import { Family } from './prometheus.js';
import { unregisterModel } from '../registry/register.js';

const second = 1_000_000_000n;

function newCoordinator(): { ic: FakeIc; coordinator: Coordinator } {
  const ic = new FakeIc();
  const coordinator = new Coordinator(ic);
  const plan = samplePlan();
  const model = { plan, planText: '', epoch: 1n };
  coordinator.models.add({ ...model, name: 'm', workers: workerIds });
  const two = { ...plan, pipelines: 2 };
  const workers = [...workerIds, ...moreWorkerIds];
  coordinator.models.add({ ...model, plan: two, name: 'two "pipes"', workers });
  for (const { name } of coordinator.models.usable()) coordinator.requests.sumsOf(name);
  const status = { state: WorkerState.ready, waiting: 3, tasksDone: 5n, instructions: 7n };
  const memory = { heapBytes: 1000, stableBytes: 24n };
  ic.onCall = (_method, _bytes, canister) => {
    if (canister === moreWorkerIds[1]!.toText()) throw new CallFailure(5, 'is stopped');
    const cycles = { balance: 9n, aboveFreezing: 5n };
    return encodeWorkerStatus({ ...status, ...memory, cycles });
  };
  return { ic, coordinator };
}

/** Notes a request of `m`: done after so many seconds, or failed. */
function note(coordinator: Coordinator, seconds: number | undefined, instructions = 0n): void {
  const { requests, ic } = coordinator;
  const request = { model: 'm', caller: ic.caller(), microBatches: 2, bytesReceived: 1 };
  const entry = requests.begin({ ...request, receivedAtNs: 0n });
  if (seconds === undefined) {
    requests.fail(entry, 0n, { code: 'busy', message: '', retryable: true });
    return;
  }
  const trace = { messages: 1, bytesReceived: 0, bytesSent: 0, scratchBytes: 0 };
  const stages = [{ worker: workerIds[0]!, instructions, ...trace }];
  requests.succeed(entry, BigInt(seconds) * second, stages, workerIds, 1);
}

async function page(coordinator: Coordinator, url = '/metrics?x=1'): Promise<string[]> {
  const { status_code: status, body } = await httpAnswer(coordinator, { method: 'GET', url });
  expect(status).toBe(200);
  return Buffer.from(body).toString().split('\n');
}

describe('the page of figures', () => {
  test('has requests by model and outcome, and histograms of what they took', async () => {
    const { coordinator } = newCoordinator();
    note(coordinator, 2, 1_000_000n);
    note(coordinator, 3, 1_000_001n);
    note(coordinator, 99_999, 10n ** 15n);
    note(coordinator, undefined);
    coordinator.requests.refuse('m');
    coordinator.requests.refuse();
    const lines = await page(coordinator);
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE canopy_requests_total counter',
        'canopy_requests_total{model="m",outcome="done"} 3',
        'canopy_requests_total{model="m",outcome="failed"} 2',
        'canopy_requests_total{model="two \\"pipes\\"",outcome="done"} 0',
        'canopy_requests_refused_total{model="m"} 1',
        'canopy_micro_batches_total{model="m"} 6',
        'canopy_requests_in_flight 0',
        '# TYPE canopy_request_instructions histogram',
        'canopy_request_instructions_bucket{model="m",le="1000000"} 1',
        'canopy_request_instructions_bucket{model="m",le="4000000"} 2',
        'canopy_request_instructions_bucket{model="m",le="4194304000000"} 2',
        'canopy_request_instructions_bucket{model="m",le="+Inf"} 3',
        'canopy_request_instructions_sum{model="m"} 1000000002000001',
        'canopy_request_instructions_count{model="m"} 3',
        'canopy_request_duration_seconds_bucket{model="m",le="1"} 0',
        'canopy_request_duration_seconds_bucket{model="m",le="2"} 1',
        'canopy_request_duration_seconds_bucket{model="m",le="+Inf"} 3',
      ]),
    );
    const names = lines.filter((line) => line.startsWith('# TYPE'));
    expect(new Set(names).size).toBe(names.length);
    expect(lines.at(-1)).toBe('');
    expect(lines.filter((line) => line === '')).toHaveLength(1);
  });

  test('has each canister; a worker that does not answer is not ready', async () => {
    const { coordinator } = newCoordinator();
    const lines = await page(coordinator);
    const labels = (index: number, place: string): string =>
      `model="two \\"pipes\\"",canister="${[...workerIds, ...moreWorkerIds][index]!.toText()}",place="${place}"`;
    const third = labels(2, 'pipeline 1, stage 0');
    const own = `canister="${coordinator.ic.self().toText()}",place="coordinator"`;
    expect(lines).toEqual(
      expect.arrayContaining([
        `canopy_worker_ready{${third}} 1`,
        `canopy_worker_ready{${labels(3, 'pipeline 1, stage 1')}} 0`,
        `canopy_worker_waiting{${third}} 3`,
        `canopy_worker_tasks_total{${third}} 5`,
        `canopy_worker_instructions_total{${third}} 7`,
        `canopy_canister_memory_bytes{${third}} 1024`,
        `canopy_canister_cycles{${third}} 9`,
        `canopy_canister_freezing_cycles{${third}} 4`,
        `canopy_canister_cycles{${own}} 10000000000000`,
        `canopy_canister_freezing_cycles{${own}} 0`,
      ]),
    );
    const silent = moreWorkerIds[1]!.toText();
    expect(lines.filter((line) => line.includes(silent))).toHaveLength(1);
  });

  test('is the same after an upgrade, and without a model that was removed', async () => {
    const { coordinator, ic } = newCoordinator();
    note(coordinator, 2, 5n);
    note(coordinator, undefined);
    const before = await page(coordinator);
    const next = new Coordinator(ic);
    for (const model of coordinator.models.usable()) next.models.add(model);
    restoreTraffic(next, saveTraffic(coordinator));
    expect(await page(next)).toEqual(before);
    unregisterModel(next, 'm');
    expect((await page(next)).join('\n')).not.toContain('model="m"');
  });

  test('is all there is', async () => {
    const { coordinator } = newCoordinator();
    for (const [method, url] of [
      ['GET', '/'],
      ['POST', '/metrics'],
      ['GET', '/metrics/x'],
    ] as const) {
      const { status_code: status } = await httpAnswer(coordinator, { method, url });
      expect(status).toBe(404);
    }
  });
});

test('a family without values has no lines', () => {
  expect(new Family('a', 'gauge', 'b').text).toBe('');
  const text = new Family('a', 'gauge', 'b').add({ c: 'x\\y\nz' }, 1).text;
  expect(text).toBe('# HELP a b\n# TYPE a gauge\na{c="x\\\\y\\nz"} 1\n');
});
