import type { WorkerClient } from '@canopy/client';
import type { PlannedModel } from '@canopy/partitioner';
import { WorkerState, pipelinePlace, workerCount } from '@canopy/protocol';
import type { ConnectFlags } from '../connect.js';
import { CommandError } from '../errors.js';
import { findManifest } from '../manifests.js';
import { table, toJson, type Output } from '../output.js';
import { planOptions, type PlanFlags } from './plan.js';

/** One thing that was compared. */
interface Check {
  place: string;
  what: 'module' | 'plan' | 'weights';
  found: string;
  expected: string;
  same: boolean;
}

function check(place: string, what: Check['what'], found: string, expected: string): Check {
  return { place, what, found, expected, same: found === expected };
}

/** Of a canister with another module, whose word counts for nothing, and of one that is stopped or frozen. */
const notAsked = 'not asked';

async function shardHeld(worker: WorkerClient): Promise<string> {
  const { state, shardHash } = await worker.status();
  return state === WorkerState.ready ? Buffer.from(shardHash).toString('hex') : 'not loaded';
}

/**
 * `canopy verify DEPLOYMENT [MODEL]`: compares what the canisters hold with this release, the manifest and, where it
 * is named, the model's file. Exit code 1 where anything differs.
 */
export async function verifyCommand(
  name: string,
  model: string | undefined,
  flags: ConnectFlags & PlanFlags,
  output: Output,
): Promise<void> {
  const { CoordinatorClient, WorkerClient, canisterHealth, isSilent, placeText, requireReady } =
    await import('@canopy/client');
  const { sha256, toHex } = await hashing();
  const deployment = requireReady(await findManifest(name));
  const { connectToDeployment } = await import('../connect.js');
  const { transport } = await connectToDeployment(deployment, flags);
  const { plan, coordinator, workers } = deployment;
  const { coordinatorWasmGz } = await import('@canopy/coordinator');
  const { workerWasmGz } = await import('@canopy/worker');
  const shards = model === undefined ? undefined : await shardHashes(model, flags, plan);
  const hashOf = (value: unknown): string => toHex(sha256(JSON.stringify(value)));
  const checks: Check[] = [];
  /** Compares a module; whether what it says of itself counts, and can be asked for. */
  const checkModule = async (
    place: string,
    canister: string,
    expected: string,
  ): Promise<boolean> => {
    const health = await canisterHealth(transport, canister);
    const found = check(place, 'module', health.moduleHash ?? 'none', expected);
    checks.push(found);
    return found.same && !isSilent(health);
  };
  const client = new CoordinatorClient(transport, coordinator);
  const planTold = async (): Promise<string> => {
    const known = (await client.models()).some((one) => one.name === deployment.model);
    if (!known) return 'not registered';
    const told = await client.registration(deployment.model);
    return hashOf([JSON.parse(told.plan), told.workers]);
  };
  const isAsked = await checkModule('coordinator', coordinator, toHex(sha256(coordinatorWasmGz())));
  const planHeld = isAsked ? await planTold() : notAsked;
  checks.push(check('coordinator', 'plan', planHeld, hashOf([plan, workers])));
  const workerModule = toHex(sha256(workerWasmGz()));
  for (const [index, canister] of workers.entries()) {
    const place = placeText(plan, index);
    const { stage } = pipelinePlace(plan, index);
    const held = (await checkModule(place, canister, workerModule))
      ? await shardHeld(new WorkerClient(transport, canister))
      : notAsked;
    const expected = (shards ?? plan.stages.map(({ shardHash }) => shardHash))[stage];
    checks.push(check(place, 'weights', held, expected ?? 'none'));
  }
  const wrong = checks.filter(({ same }) => !same).length;
  if (output.json) {
    output.print(toJson({ model: deployment.model, same: wrong === 0, checks }));
  } else {
    const rows = checks.map(({ place, what, found, expected, same }) => [
      place,
      what,
      found.slice(0, 16),
      same ? 'same' : `DIFFERS from ${expected.slice(0, 16)}`,
    ]);
    output.print(table(['place', 'what', 'hash', ''], rows));
  }
  if (wrong > 0) throw new CommandError(`${wrong} of ${checks.length} differ`);
}

async function hashing() {
  const { createHash } = await import('node:crypto');
  return {
    sha256: (data: Uint8Array | string) => createHash('sha256').update(data).digest(),
    toHex: (bytes: Uint8Array) => Buffer.from(bytes).toString('hex'),
  };
}

/** Hashes of the shards that a model's file gives, cut as the deployment is unless flags say otherwise. */
async function shardHashes(
  model: string,
  flags: PlanFlags,
  { stages, pipelines, typicalDims }: PlannedModel['plan'],
): Promise<string[]> {
  const { planModel } = await import('@canopy/partitioner');
  const planned = await planModel(model, {
    workers: workerCount({ stages, pipelines }),
    pipelines,
    dims: typicalDims,
    ...planOptions(flags),
  });
  planned.close();
  return planned.plan.stages.map(({ shardHash }) => shardHash);
}
