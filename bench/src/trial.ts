import { CanopySession, deploy, type DetailedResult, type Feeds } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import type { PlannedModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { callerName, EmbeddedIc } from './ic/embedded.js';

const owner = callerName(0xffffff);
const plenty = 1_000_000_000_000_000n;

/**
 * Runs a planned model on canisters of an embedded IC in this process, as a deployment would: its
 * outputs, and what each stage took under the plan's cost schedule. Nothing of it is left behind.
 */
export async function trialRun(planned: PlannedModel, feeds: Feeds): Promise<DetailedResult> {
  const ic = new EmbeddedIc(planned.plan.costSchedule === '2025-10' ? '2025-10' : '2026-07');
  const transport = ic.transport(owner);
  const deployment = await deploy(planned, {
    transport,
    modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
    uploadConcurrency: 1,
    cycles: plenty,
  });
  const session = await CanopySession.create(deployment, { transport });
  try {
    return await session.runDetailed(feeds);
  } finally {
    await session.release();
  }
}
