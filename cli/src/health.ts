/** What is known of a deployment's canisters at one time. */
import type { CanisterHealth, CoordinatorClient, Deployment, Transport } from '@canopy/client';
import { WorkerState, type WorkerStatus } from '@canopy/protocol';
import { CommandError } from './errors.js';

/** Names of the states of workers, by their numbers. */
export const stateNames = new Map<number, string>(
  Object.entries(WorkerState).map(([name, value]) => [value, name]),
);

type Metrics = Awaited<ReturnType<CoordinatorClient['metrics']>>;

/** What canisters tell of themselves; undefined of those that are stopped or frozen, and of other states. */
async function askAll(
  transport: Transport,
  deployment: Deployment,
  health: readonly CanisterHealth[],
): Promise<{ workers: (WorkerStatus | undefined)[]; metrics: Metrics | undefined }> {
  const { CoordinatorClient, WorkerClient, isSilent } = await import('@canopy/client');
  const ask = async <T>(index: number, action: () => Promise<T>): Promise<T | undefined> =>
    isSilent(health[index]!) ? undefined : action();
  const [metrics, ...workers] = await Promise.all([
    ask(0, () => new CoordinatorClient(transport, deployment.coordinator!).metrics()),
    ...deployment.workers.map((id, index) =>
      ask(index + 1, () => new WorkerClient(transport, id).status()),
    ),
  ] as const);
  return { workers, metrics };
}

/** Fewer days until a canister is frozen are told as a problem. */
const fewDays = 7;

/** What is wrong with a canister, for people; undefined where nothing is. */
export function problemOf(
  place: string,
  { status, daysLeft }: CanisterHealth,
  worker: WorkerStatus | undefined,
  epoch: bigint | undefined,
): string | undefined {
  if (status !== 'running') return `${place} is ${status}`;
  if (daysLeft === 0) return `${place} is frozen, or about to be: canopy top-up`;
  if (daysLeft !== undefined && daysLeft < fewDays) {
    return `${place} has cycles for ${daysLeft} days: canopy top-up`;
  }
  if (worker === undefined) return undefined;
  if (worker.state !== WorkerState.ready) {
    return `${place} is ${stateNames.get(worker.state) ?? 'in an unknown state'}, not ready`;
  }
  return worker.epoch === epoch ? undefined : `${place} is of another epoch than stage 0`;
}

/**
 * Health of the coordinator, then of the workers. Throws {@link CommandError} where a deployment is not what
 * its manifest says any more.
 */
async function healthOf(deployment: Deployment, transport: Transport): Promise<CanisterHealth[]> {
  const { canisterHealth, inspectDeployment, isSilent } = await import('@canopy/client');
  const { findings, registered } = await inspectDeployment(deployment, {
    transport,
    believeSilent: true,
  });
  const differences = findings
    .filter(({ state }) => state !== 'same')
    .map(({ place, canister, text }) => `${place} (${canister}) ${text}`);
  if (differences.length === 0) {
    const ids = [deployment.coordinator!, ...deployment.workers];
    const health = await Promise.all(ids.map((id) => canisterHealth(transport, id)));
    if (registered || isSilent(health[0]!)) return health;
    differences.push(`the coordinator does not know "${deployment.model}"`);
  }
  const isForeign = findings.some(({ state }) => state === 'foreign');
  throw new CommandError(
    `"${deployment.model}" is not there as its manifest says: ${differences.join('; ')}. ` +
      (isForeign ? '--identity names the key that it was deployed with' : 'Deploy it again'),
  );
}

/** A deployment at one time; lists are in one order, the coordinator first. */
export interface Standing {
  places: string[];
  canisters: string[];
  health: CanisterHealth[];
  /** Of the workers alone; undefined of those that are stopped or frozen. */
  workers: (WorkerStatus | undefined)[];
  /** Undefined where the coordinator is stopped or frozen. */
  metrics: Metrics | undefined;
  /** Of the configuration of the first worker that answers. */
  epoch: bigint | undefined;
  /** What is not well, for people. */
  problems: string[];
}

/**
 * Looks at a deployment. Throws {@link CommandError} where it is not what its manifest says any more.
 *
 * @param checked whether the manifest was compared before; then only its canisters are asked
 */
export async function standingOf(
  deployment: Deployment,
  transport: Transport,
  checked = false,
): Promise<Standing> {
  const { canisterHealth, placeText } = await import('@canopy/client');
  const canisters = [deployment.coordinator!, ...deployment.workers];
  const health = checked
    ? await Promise.all(canisters.map((id) => canisterHealth(transport, id)))
    : await healthOf(deployment, transport);
  const { workers, metrics } = await askAll(transport, deployment, health);
  const epoch = workers.find((worker) => worker !== undefined)?.epoch;
  const places = ['coordinator', ...workers.map((_, index) => placeText(deployment.plan, index))];
  const problems = health.flatMap(
    (one, index) =>
      problemOf(places[index]!, one, index === 0 ? undefined : workers[index - 1], epoch) ?? [],
  );
  return { places, canisters, health, workers, metrics, epoch, problems };
}
