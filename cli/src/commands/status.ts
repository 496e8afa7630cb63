import type { CanisterHealth, CoordinatorClient, Deployment, Transport } from '@canopy/client';
import { WorkerState, type WorkerStatus } from '@canopy/protocol';
import type { ConnectFlags } from '../connect.js';
import { CommandError } from '../errors.js';
import { findManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';

const stateNames = new Map<number, string>(
  Object.entries(WorkerState).map(([name, value]) => [value, name]),
);

async function askAll(
  transport: Transport,
  deployment: Deployment,
): Promise<{
  workers: WorkerStatus[];
  metrics: Awaited<ReturnType<CoordinatorClient['metrics']>>;
  /** Of the coordinator, then of the workers. */
  health: CanisterHealth[];
}> {
  const { CoordinatorClient, WorkerClient, canisterHealth } = await import('@canopy/client');
  const coordinator = deployment.coordinator ?? '';
  const [workers, metrics, health] = await Promise.all([
    Promise.all(deployment.workers.map((id) => new WorkerClient(transport, id).status())),
    new CoordinatorClient(transport, coordinator).metrics(),
    Promise.all([coordinator, ...deployment.workers].map((id) => canisterHealth(transport, id))),
  ]);
  return { workers, metrics, health };
}

/** Fewer days until a canister is frozen are told as a problem. */
const fewDays = 7;

/** What is wrong with a canister, for people; undefined where nothing is. */
export function problemOf(
  place: string,
  { status, daysLeft }: CanisterHealth,
  worker: WorkerStatus | undefined,
  epoch: bigint,
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

/** Throws {@link CommandError} where a deployment is not what its manifest says any more. */
async function requireThere(deployment: Deployment, transport: Transport): Promise<void> {
  const { inspectDeployment } = await import('@canopy/client');
  const { findings, registered } = await inspectDeployment(deployment, { transport });
  const differences = findings
    .filter(({ state }) => state !== 'same')
    .map(({ place, canister, text }) => `${place} (${canister}) ${text}`);
  if (differences.length === 0 && !registered) {
    differences.push(`the coordinator does not know "${deployment.model}"`);
  }
  if (differences.length === 0) return;
  const isForeign = findings.some(({ state }) => state === 'foreign');
  throw new CommandError(
    `"${deployment.model}" is not there as its manifest says: ${differences.join('; ')}. ` +
      (isForeign ? '--identity names the key that it was deployed with' : 'Deploy it again'),
  );
}

/** `canopy status DEPLOYMENT`: the health of a deployment. */
export async function statusCommand(
  name: string,
  flags: ConnectFlags,
  output: Output,
): Promise<void> {
  const deployment = await findManifest(name);
  if (!deployment.ready) {
    output.print(
      output.json
        ? toJson(deployment)
        : `The deployment of "${deployment.model}" is not finished: deploy again to go on.`,
    );
    return;
  }
  const { connectToDeployment } = await import('../connect.js');
  const { placeText } = await import('@canopy/client');
  const { transport } = await connectToDeployment(deployment, flags);
  await requireThere(deployment, transport);
  const { workers, metrics, health } = await askAll(transport, deployment);
  const places = ['coordinator', ...workers.map((_, index) => placeText(deployment.plan, index))];
  const ids = [deployment.coordinator!, ...deployment.workers];
  const problems = health.flatMap(
    (one, index) =>
      problemOf(
        places[index]!,
        one,
        index === 0 ? undefined : workers[index - 1],
        workers[0]!.epoch,
      ) ?? [],
  );
  if (output.json) {
    const shown = workers.map(
      ({ shardHash, configuration, configurationHash, ...status }, index) => ({
        canister: deployment.workers[index],
        ...status,
        state: stateNames.get(status.state),
        shardHash: Buffer.from(shardHash).toString('hex'),
        configurationHash: Buffer.from(configurationHash).toString('hex'),
        configurationBytes: configuration.length,
        ...health[index + 1],
      }),
    );
    output.print(
      toJson({
        model: deployment.model,
        healthy: problems.length === 0,
        problems,
        coordinator: deployment.coordinator,
        coordinatorHealth: health[0],
        metrics,
        workers: shown,
      }),
    );
  } else {
    output.print(`model "${deployment.model}", epoch ${workers[0]!.epoch.toString(16)}`);
    output.print(
      `${String(metrics.requests)} requests, ${String(metrics.failed)} failed, ${metrics.in_flight} under way`,
    );
    output.print('');
    output.print(statusTable(places, ids, workers, health));
    for (const problem of problems) output.print(`! ${problem}`);
  }
  if (problems.length > 0) throw new CommandError(`"${deployment.model}" is not healthy`);
}

function statusTable(
  places: readonly string[],
  ids: readonly string[],
  workers: readonly WorkerStatus[],
  health: readonly CanisterHealth[],
): string {
  const mebibytes = (bytes: number): number => Number((bytes / 1024 ** 2).toFixed(1));
  const rows = health.map((one, index) => {
    const worker = index === 0 ? undefined : workers[index - 1];
    const state = worker ? stateNames.get(worker.state) : undefined;
    return [
      places[index]!,
      ids[index]!,
      one.status === 'running' ? (state ?? 'running') : one.status,
      one.moduleHash?.slice(0, 8) ?? '',
      mebibytes(one.memoryBytes),
      (Number(one.cycles) / 1e12).toFixed(3),
      one.daysLeft ?? '',
      worker?.waiting ?? '',
      worker ? Number(worker.tasksDone) : '',
      worker ? Number((Number(worker.instructions) / 1e6).toFixed(0)) : '',
    ];
  });
  const titles = ['place', 'canister', 'state', 'module', 'MiB', 'T cycles', 'days left'];
  return table([...titles, 'waiting', 'done', 'M instructions'], rows);
}
