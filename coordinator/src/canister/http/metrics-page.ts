/** Figures of the coordinator and its workers for Prometheus. No caller is named: everybody may read them. */
import {
  WorkerState,
  byPipeline,
  decodeWorkerStatus,
  placeText,
  type WorkerStatus,
} from '@canopy/protocol';
import type { Coordinator } from '../coordinator.js';
import type { PrincipalLike } from '../ic/ic.js';
import { callWorker } from '../pipeline/call-worker.js';
import type { Model } from '../registry/models.js';
import { Family, type Labels } from './prometheus.js';

/** A worker of a model; without a status where it does not answer, or is on another subnet. */
interface SeenWorker {
  labels: Labels;
  status: WorkerStatus | undefined;
}

/** The text of `/metrics`. Asks the workers, so it is for composite queries. */
export async function metricsPage(coordinator: Coordinator): Promise<string> {
  const requests = requestFamilies(coordinator);
  const own = ownFigures(coordinator);
  const workers = await Promise.all(
    coordinator.models.usable().flatMap((model) => seenWorkers(coordinator, model)),
  );
  return [...requests, ...workerFamilies(workers), ...canisterFamilies(own, workers)]
    .map(({ text }) => text)
    .join('');
}

function requestFamilies({ models, requests, inFlight }: Coordinator): Family[] {
  const ended = new Family(
    'canopy_requests_total',
    'counter',
    'Requests that ended: "done", or "failed", refused ones among them.',
  );
  const refused = new Family(
    'canopy_requests_refused_total',
    'counter',
    'Requests that were refused before a worker had them.',
  );
  const batches = new Family(
    'canopy_micro_batches_total',
    'counter',
    'Micro-batches of requests that are done.',
  );
  const instructions = new Family(
    'canopy_request_instructions',
    'histogram',
    'Instructions that workers took for a request that is done.',
  );
  const seconds = new Family(
    'canopy_request_duration_seconds',
    'histogram',
    'Seconds from the admission of a request until the coordinator knew that it is done.',
  );
  for (const { name: model } of models.usable()) {
    const sums = requests.sumsOf(model);
    ended.add({ model, outcome: 'done' }, sums.done);
    ended.add({ model, outcome: 'failed' }, sums.failed);
    refused.add({ model }, sums.refused);
    batches.add({ model }, sums.microBatches);
    instructions.addHistogram({ model }, sums.instructions);
    seconds.addHistogram({ model }, sums.seconds);
  }
  const flying = new Family(
    'canopy_requests_in_flight',
    'gauge',
    'Requests on their way to a head or waiting there.',
  );
  return [ended, refused, batches, flying.add({}, inFlight.count), instructions, seconds];
}

function seenWorkers(coordinator: Coordinator, model: Model): Promise<SeenWorker>[] {
  return byPipeline(model.workers, model.plan).flatMap((pipeline, index) =>
    pipeline.map(async (worker, stage) => {
      const place = placeText(model.plan, index * pipeline.length + stage);
      const labels = { model: model.name, canister: worker.toText(), place };
      return { labels, status: await statusOf(coordinator, worker, stage) };
    }),
  );
}

async function statusOf(
  { ic }: Coordinator,
  worker: PrincipalLike,
  stage: number,
): Promise<WorkerStatus | undefined> {
  try {
    return decodeWorkerStatus(await callWorker(ic, worker, stage, 'status', new Uint8Array()));
  } catch {
    return undefined;
  }
}

function workerFamilies(workers: readonly SeenWorker[]): Family[] {
  const ready = new Family(
    'canopy_worker_ready',
    'gauge',
    'Whether a worker holds its shard and serves (1) or not (0).',
  );
  const waiting = new Family(
    'canopy_worker_waiting',
    'gauge',
    'Requests in the queue of a worker and tasks under way.',
  );
  const tasks = new Family('canopy_worker_tasks_total', 'counter', 'Tasks that a worker has done.');
  const instructions = new Family(
    'canopy_worker_instructions_total',
    'counter',
    'Instructions that a worker took for tasks.',
  );
  for (const { labels, status } of workers) {
    ready.add(labels, status?.state === WorkerState.ready ? 1 : 0);
    if (status === undefined) continue;
    waiting.add(labels, status.waiting);
    tasks.add(labels, status.tasksDone);
    instructions.add(labels, status.instructions);
  }
  return [ready, waiting, tasks, instructions];
}

interface CanisterFigures {
  labels: Labels;
  memoryBytes: number;
  balance: bigint;
  freezing: bigint;
}

function ownFigures({ ic }: Coordinator): CanisterFigures {
  const { balance, liquid } = ic.cycles();
  return {
    labels: { canister: ic.self().toText(), place: 'coordinator' },
    memoryBytes: ic.memoryBytes(),
    balance,
    freezing: balance - liquid,
  };
}

function canisterFamilies(own: CanisterFigures, workers: readonly SeenWorker[]): Family[] {
  const memory = new Family(
    'canopy_canister_memory_bytes',
    'gauge',
    'Heap and stable memory of a canister.',
  );
  const cycles = new Family('canopy_canister_cycles', 'gauge', 'Cycles that a canister holds.');
  const freezing = new Family(
    'canopy_canister_freezing_cycles',
    'gauge',
    'Cycles below which a canister is frozen.',
  );
  memory.add(own.labels, own.memoryBytes);
  cycles.add(own.labels, own.balance);
  freezing.add(own.labels, own.freezing);
  for (const { labels, status } of workers) {
    if (status === undefined) continue;
    memory.add(labels, BigInt(status.heapBytes) + status.stableBytes);
    if (status.cycles === undefined) continue;
    cycles.add(labels, status.cycles.balance);
    freezing.add(labels, status.cycles.balance - status.cycles.aboveFreezing);
  }
  return [memory, cycles, freezing];
}
