import {
  CoordinatorClient,
  deploy,
  workerConfig,
  WorkerClient,
  type Transport,
} from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel, type PlanOptions } from '@canopy/partitioner';
import type { Plan, WorkerStatus } from '@canopy/protocol';
import { workerWasmGz } from '@canopy/worker';
import { callerName, type EmbeddedIc } from '../ic/embedded.js';
import type { BenchIc } from '../ic/round-ic.js';
import type { WaySettings } from '../ways.js';

export interface QueueLimits {
  queueLimit: number;
  queueLimitPerCaller: number;
}

/** Requests are never refused in a measurement of speed. */
const noLimits: QueueLimits = { queueLimit: 4096, queueLimitPerCaller: 4096 };
/** Controller of all canisters. */
export const owner = callerName(0xffffff);

/** A model on its canisters, ready to be asked. */
export interface Deployed<Ic extends BenchIc = EmbeddedIc> {
  ic: Ic;
  plan: Plan;
  coordinator: string;
  /** Pipeline after pipeline, each stage by stage. */
  workers: readonly string[];
  transport: Transport;
  /** Registers the model under the settings of a way; gives the name to ask for. */
  use(settings: WaySettings): Promise<string>;
  status(): Promise<WorkerStatus[]>;
}

/** Plans a model, puts it on `ic` and waits until it is ready. */
export async function deployModel<Ic extends BenchIc>(
  ic: Ic,
  path: string,
  name: string,
  options: PlanOptions,
  limits: QueueLimits = noLimits,
): Promise<Deployed<Ic>> {
  const planned = await planModel(path, { ...options, name });
  const transport = ic.transport(owner);
  try {
    const { plan } = planned;
    const modules = { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
    const deployment = await deploy(planned, {
      transport,
      modules,
      ...limits,
      uploadConcurrency: 1,
      cycles: 1_000_000_000_000_000n,
    });
    const { coordinator, workers } = deployment;
    const workerClients = workers.map((id) => new WorkerClient(transport, id));
    const coordinatorClient = new CoordinatorClient(transport, coordinator);
    return {
      ic,
      plan,
      coordinator,
      workers,
      transport,
      async use(settings) {
        const model = `${name}, ${JSON.stringify(settings)}`;
        const known = await coordinatorClient.models();
        const { microBatchRows, instructionBudget, paced } = settings;
        const changed: Plan = { ...plan, microBatchRows, instructionBudget };
        for (const [index, client] of workerClients.entries()) {
          const of = { ...deployment, plan: changed };
          await client.configure(workerConfig(of, index, { ...limits, paced }));
        }
        if (!known.some((entry) => entry.name === model)) {
          await coordinatorClient.registerModel(model, JSON.stringify(changed), workers);
        }
        return model;
      },
      status: () => Promise.all(workerClients.map((client) => client.status())),
    };
  } finally {
    planned.close();
  }
}
