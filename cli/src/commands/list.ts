import { workerCount } from '@canopy/protocol';
import { deploymentNames, manifestPath, readManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';

/** What a manifest says of a deployment. */
interface Listed {
  name: string;
  state: 'ready' | 'unfinished' | 'unreadable';
  host?: string;
  /** Canisters of workers created so far, and in all. */
  workers?: number;
  workersInAll?: number;
  weightsBytes?: number;
  /** Why the manifest cannot be read. */
  problem?: string;
}

async function listed(name: string): Promise<Listed> {
  try {
    const deployment = (await readManifest(manifestPath(name)))!;
    const { host, ready, workers, plan } = deployment;
    const weights = plan.stages.reduce((sum, { weightsBytes }) => sum + weightsBytes, 0);
    return {
      name,
      state: ready ? 'ready' : 'unfinished',
      ...(host !== undefined && { host }),
      workers: workers.length,
      workersInAll: workerCount(plan),
      weightsBytes: weights * plan.pipelines,
    };
  } catch (error) {
    return { name, state: 'unreadable', problem: (error as Error).message };
  }
}

/** `canopy list`: the deployments made in this folder, as their manifests know them. Asks no IC. */
export async function listCommand(output: Output): Promise<void> {
  const all = await Promise.all((await deploymentNames()).map(listed));
  if (output.json) {
    output.print(toJson(all));
    return;
  }
  if (all.length === 0) {
    output.print('No deployment was made here.');
    return;
  }
  const megabytes = (bytes: number | undefined): string =>
    bytes === undefined ? '' : (bytes / 1024 ** 2).toFixed(2);
  output.print(
    table(
      ['name', 'state', 'workers', 'weights MiB', 'Internet Computer'],
      all.map(({ name, state, workers, workersInAll, weightsBytes, host, problem }) => [
        name,
        state,
        workers === workersInAll ? String(workers ?? '') : `${workers!} of ${workersInAll!}`,
        megabytes(weightsBytes),
        problem ?? host ?? '',
      ]),
    ),
  );
}
