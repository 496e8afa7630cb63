import { WorkerState } from '@canopy/protocol';
import type { Standing } from '../health.js';
import type { FamilyName, Sample } from './families.js';

/** What was found of a deployment, by its name; without a standing where it could not be looked at. */
export interface Scraped {
  deployment: string;
  found?: { model: string; standing: Standing };
}

/** The values of one deployment. No principal of a caller is among them. */
export function samplesOf({ deployment, found }: Scraped): Sample[] {
  const up: Sample = { name: 'canopy_up', labels: { deployment }, value: found ? 1 : 0 };
  if (!found) return [up];
  const { places, canisters, health, workers, metrics, problems } = found.standing;
  const labels = { deployment, model: found.model };
  const samples: Sample[] = [
    up,
    { name: 'canopy_healthy', labels, value: problems.length === 0 ? 1 : 0 },
  ];
  if (metrics) {
    const { requests, failed } = metrics;
    const ended = (outcome: string, value: bigint): Sample => ({
      name: 'canopy_requests_total',
      labels: { ...labels, outcome },
      value: Number(value),
    });
    samples.push(
      ended('failed', failed),
      ended('not_failed', requests - failed),
      { name: 'canopy_micro_batches_total', labels, value: Number(metrics.micro_batches) },
      { name: 'canopy_requests_in_flight', labels, value: metrics.in_flight },
    );
  }
  for (const [index, one] of health.entries()) {
    const whose = { ...labels, canister: canisters[index]!, place: places[index]! };
    const add = (name: FamilyName, value: number | bigint): void => {
      samples.push({ name, labels: whose, value: Number(value) });
    };
    add('canopy_canister_running', one.status === 'running' ? 1 : 0);
    add('canopy_canister_memory_bytes', one.memoryBytes);
    add('canopy_canister_cycles', one.cycles);
    add('canopy_canister_freezing_cycles', one.freezingCycles);
    add('canopy_canister_idle_cycles_per_day', one.idlePerDay);
    if (index === 0) continue;
    const worker = workers[index - 1];
    add('canopy_worker_ready', worker?.state === WorkerState.ready ? 1 : 0);
    if (worker === undefined) continue;
    add('canopy_worker_waiting', worker.waiting);
    add('canopy_worker_tasks_total', worker.tasksDone);
    add('canopy_worker_instructions_total', worker.instructions);
  }
  return samples;
}
