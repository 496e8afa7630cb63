import type { WorkerStatus } from '@canopy/protocol';
import type { ConnectFlags } from '../connect.js';
import { CommandError } from '../errors.js';
import { standingOf, stateNames, type Standing } from '../health.js';
import { findManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';

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
  const { transport } = await connectToDeployment(deployment, flags);
  const standing = await standingOf(deployment, transport);
  const { health, workers, metrics, epoch, problems } = standing;
  if (output.json) {
    const shown = workers.map((worker, index) => ({
      canister: deployment.workers[index],
      ...(worker && shownWorker(worker)),
      ...health[index + 1],
    }));
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
    output.print(`model "${deployment.model}", epoch ${epoch?.toString(16) ?? 'not known'}`);
    if (metrics) {
      output.print(
        `${String(metrics.requests)} requests, ${String(metrics.failed)} failed, ${metrics.in_flight} under way`,
      );
    }
    output.print('');
    output.print(statusTable(standing));
    for (const problem of problems) output.print(`! ${problem}`);
  }
  if (problems.length > 0) throw new CommandError(`"${deployment.model}" is not healthy`);
}

function shownWorker({ shardHash, configuration, configurationHash, ...status }: WorkerStatus) {
  return {
    ...status,
    state: stateNames.get(status.state),
    shardHash: Buffer.from(shardHash).toString('hex'),
    configurationHash: Buffer.from(configurationHash).toString('hex'),
    configurationBytes: configuration.length,
  };
}

function statusTable({ places, canisters: ids, workers, health }: Standing): string {
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
