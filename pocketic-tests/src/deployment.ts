import { PocketIc, SubnetStateType } from '@dfinity/pic';
import { CanopySession, PocketIcTransport, deploy, type ReadyDeployment } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel, type PlannedModel, type PlanOptions } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { inject } from 'vitest';
import type { TestModel } from './models.js';

/** After so long without an answer the server is stuck; a busy machine takes long for a round. */
const processingTimeoutMs = 600_000;

/** A fresh Internet Computer with one application subnet. */
export async function createIc(): Promise<PocketIc> {
  return PocketIc.create(inject('icUrl'), {
    application: [{ state: { type: SubnetStateType.New } }],
    processingTimeoutMs,
  });
}

/** A model on an Internet Computer. */
export interface DeployedModel {
  pic: PocketIc;
  transport: PocketIcTransport;
  planned: PlannedModel;
  deployment: ReadyDeployment;
  session: CanopySession;
}

/** Plans and deploys a model; `coordinator` names one that is there already. */
export async function deployModel(
  pic: PocketIc,
  model: Pick<TestModel, 'name' | 'path' | 'dims'>,
  options: PlanOptions & { coordinator?: string; name?: string } = {},
): Promise<DeployedModel> {
  const { coordinator, name = model.name, ...planOptions } = options;
  const planned = await planModel(model.path, { name, dims: { ...model.dims }, ...planOptions });
  const transport = new PocketIcTransport(pic);
  try {
    const deployment = await deploy(planned, {
      transport,
      name,
      modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
      ...(coordinator !== undefined && { coordinator }),
    });
    const session = await CanopySession.create(deployment, { transport });
    return { pic, transport, planned, deployment, session };
  } finally {
    planned.close();
  }
}
