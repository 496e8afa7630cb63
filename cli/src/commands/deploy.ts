import { deploy, placeText, type DeployProgress, type ReadyDeployment } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { formatPlan, planModel, type PlannedModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { connect } from '../connect.js';
import { manifestPath, readManifest, writeManifest } from '../manifests.js';
import { runSteps, table, toJson, type Output } from '../output.js';
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
  const { transport, host } = await connect(flags.replica);
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
    printDeployment(deployment!, planned!, path, output);
  } finally {
    planned?.close();
  }
}

function printDeployment(
  deployment: ReadyDeployment,
  planned: PlannedModel,
  path: string,
  output: Output,
): void {
  if (output.json) {
    const { plan, ...rest } = deployment;
    output.print(toJson({ ...rest, stages: plan.stages, manifest: path }));
    return;
  }
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
