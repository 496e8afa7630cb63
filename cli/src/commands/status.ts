import type { CoordinatorClient, Deployment, Transport } from '@canopy/client';
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
}> {
  const { CoordinatorClient, WorkerClient } = await import('@canopy/client');
  const [workers, metrics] = await Promise.all([
    Promise.all(deployment.workers.map((id) => new WorkerClient(transport, id).status())),
    new CoordinatorClient(transport, deployment.coordinator ?? '').metrics(),
  ]);
  return { workers, metrics };
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
  const { workers, metrics } = await askAll(transport, deployment);
  if (output.json) {
    const shown = workers.map(({ shardHash, ...status }, index) => ({
      canister: deployment.workers[index],
      ...status,
      state: stateNames.get(status.state),
      shardHash: Buffer.from(shardHash).toString('hex'),
    }));
    output.print(
      toJson({
        model: deployment.model,
        coordinator: deployment.coordinator,
        metrics,
        workers: shown,
      }),
    );
    return;
  }
  output.print(`model "${deployment.model}", coordinator ${String(deployment.coordinator)}`);
  output.print(
    `${String(metrics.requests)} requests, ${String(metrics.failed)} failed, ${metrics.in_flight} under way`,
  );
  output.print('');
  const mebibytes = (bytes: number): number => Number((bytes / 1024 ** 2).toFixed(1));
  output.print(
    table(
      ['place', 'worker', 'state', 'weights MiB', 'waiting', 'done', 'M instructions', 'heap MiB'],
      workers.map((status, index) => [
        placeText(deployment.plan, index),
        deployment.workers[index]!,
        stateNames.get(status.state) ?? 'unknown',
        mebibytes(status.weightsBytes),
        status.waiting,
        Number(status.tasksDone),
        Number((Number(status.instructions) / 1e6).toFixed(0)),
        mebibytes(status.heapBytes),
      ]),
    ),
  );
}
