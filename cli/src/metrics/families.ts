/** What `canopy metrics` serves: names, kinds and meanings, in one table. */
interface Family {
  kind: 'counter' | 'gauge';
  help: string;
  labels: readonly string[];
}

const ofDeployment = ['deployment', 'model'] as const;
const ofCanister = [...ofDeployment, 'canister', 'place'] as const;

const gauge = (labels: readonly string[], help: string): Family => ({
  kind: 'gauge',
  help,
  labels,
});
const counter = (labels: readonly string[], help: string): Family => ({
  kind: 'counter',
  help,
  labels,
});

export const families = {
  canopy_up: gauge(['deployment'], 'Whether the deployment could be looked at (1) or not (0).'),
  canopy_healthy: gauge(
    ofDeployment,
    'Whether "canopy status" finds nothing wrong (1) or does (0).',
  ),
  canopy_requests_total: counter(
    [...ofDeployment, 'outcome'],
    'Requests to the coordinator: "failed", refused ones among them, or "not_failed", done or under way.',
  ),
  canopy_micro_batches_total: counter(ofDeployment, 'Micro-batches of requests that are done.'),
  canopy_requests_in_flight: gauge(
    ofDeployment,
    'Requests on their way to a head or waiting there.',
  ),
  canopy_worker_ready: gauge(
    ofCanister,
    'Whether a worker holds its shard and serves (1) or not (0).',
  ),
  canopy_worker_waiting: gauge(
    ofCanister,
    'Requests in the queue of a worker and tasks under way.',
  ),
  canopy_worker_tasks_total: counter(ofCanister, 'Tasks that a worker has done.'),
  canopy_worker_instructions_total: counter(
    ofCanister,
    'Instructions that a worker took for tasks.',
  ),
  canopy_canister_running: gauge(ofCanister, 'Whether a canister runs (1) or is stopped (0).'),
  canopy_canister_memory_bytes: gauge(ofCanister, 'Memory of a canister that is paid for.'),
  canopy_canister_cycles: gauge(ofCanister, 'Cycles that a canister holds.'),
  canopy_canister_freezing_cycles: gauge(ofCanister, 'Cycles below which a canister is frozen.'),
  canopy_canister_idle_cycles_per_day: gauge(ofCanister, 'Cycles that storage takes in a day.'),
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

/** One value of a family. */
export interface Sample {
  name: FamilyName;
  labels: Readonly<Record<string, string>>;
  value: number;
}
