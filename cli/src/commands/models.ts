import type { ConnectFlags } from '../connect.js';
import { CommandError } from '../errors.js';
import { findManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';

/** `canopy models DEPLOYMENT`: all models that its coordinator knows. */
export async function modelsCommand(
  name: string,
  flags: ConnectFlags,
  output: Output,
): Promise<void> {
  const deployment = await findManifest(name);
  const { coordinator } = deployment;
  if (coordinator === undefined) throw new CommandError(`"${name}" has no coordinator yet`);
  const { connectToDeployment } = await import('../connect.js');
  const { CoordinatorClient } = await import('@canopy/client');
  const { transport } = await connectToDeployment(deployment, flags);
  const models = await new CoordinatorClient(transport, coordinator).models();
  if (output.json) {
    output.print(toJson(models));
    return;
  }
  const rows = models.map((model) => [model.name, model.stageCount, model.microBatchRows]);
  output.print(table(['model', 'stages', 'rows together'], rows));
}
