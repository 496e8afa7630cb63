import type { DeployProgress, ReadyDeployment } from '@canopy/client';
import type { PlannedModel } from '@canopy/partitioner';
import { manifestPath, readManifest, writeManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';
import { runSteps } from '../steps.js';
import { planOptions, type PlanFlags } from './plan.js';

export interface DeployFlags extends PlanFlags {
  replica?: string;
  manifest?: string;
  openCalls?: number;
  /** Deploy anew even where a manifest of this name exists. */
  fresh?: boolean;
}

const verbs: Record<DeployProgress['step'], string> = {
  create: 'Creating canisters',
  install: 'Installing canisters',
  upload: 'Uploading shards',
  load: 'Loading shards',
  register: 'Registering the model',
};

function describe({ step, done, total, detail }: DeployProgress): string {
  const count =
    step === 'upload'
      ? `${(done / 1024 ** 2).toFixed(1)} of ${(total / 1024 ** 2).toFixed(1)} MiB`
      : `${done} of ${total}`;
  return `${verbs[step]}: ${count} (${detail})`;
}

/** `canopy deploy MODEL`: plans a model and puts it on an Internet Computer. */
export async function deployCommand(
  model: string,
  flags: DeployFlags,
  output: Output,
): Promise<void> {
  const { connect } = await import('../connect.js');
  const { transport, host } = await connect(flags.replica);
  const { deploy } = await import('@canopy/client');
  const { planModel } = await import('@canopy/partitioner');
  const { coordinatorWasmGz } = await import('@canopy/coordinator');
  const { workerWasmGz } = await import('@canopy/worker');
  let planned: PlannedModel | undefined;
  let deployment: ReadyDeployment | undefined;
  let path = '';
  try {
    await runSteps(output, [
      {
        title: `Planning ${model}`,
        run: async () => {
          planned = await planModel(model, planOptions(flags));
        },
      },
      {
        title: `Deploying to ${host}`,
        run: async (update) => {
          const { plan } = planned!;
          path = flags.manifest ?? manifestPath(plan.model.name);
          const earlier = flags.fresh === true ? undefined : await readManifest(path);
          deployment = await deploy(planned!, {
            transport,
            modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
            host,
            ...(flags.openCalls !== undefined && { openCalls: flags.openCalls }),
            onManifest: (state) => writeManifest(path, state),
            onProgress: (progress) => {
              update(describe(progress));
            },
            ...(earlier?.host === host && { resume: earlier }),
          });
        },
      },
    ]);
    await printDeployment(deployment!, planned!, path, output);
  } finally {
    planned?.close();
  }
}

async function printDeployment(
  deployment: ReadyDeployment,
  planned: PlannedModel,
  path: string,
  output: Output,
): Promise<void> {
  if (output.json) {
    const { plan, ...rest } = deployment;
    output.print(toJson({ ...rest, stages: plan.stages, manifest: path }));
    return;
  }
  const { formatPlan } = await import('@canopy/partitioner');
  const { placeText } = await import('@canopy/client');
  output.print(formatPlan(planned));
  output.print('');
  output.print(
    table(
      ['', 'canister'],
      [
        ['coordinator', deployment.coordinator],
        ...deployment.workers.map((id, index) => [placeText(deployment.plan, index), id]),
      ],
    ),
  );
  output.print('');
  output.print(`Model "${deployment.model}" is ready; its manifest is ${path}.`);
}
