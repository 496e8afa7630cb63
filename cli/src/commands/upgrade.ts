import type { ReadyDeployment, UpgradeReport } from '@canopy/client';
import type { ConnectFlags } from '../connect.js';
import { CommandError, Interrupted } from '../errors.js';
import { withLock } from '../lock.js';
import { findManifest, pathOfManifest, writeManifest } from '../manifests.js';
import { toJson, type Output } from '../output.js';
import { whileReachable } from '../reach.js';
import { runSteps } from '../steps.js';

export interface UpgradeFlags extends ConnectFlags {
  /** False: no snapshots are taken. */
  snapshots: boolean;
  /** Go back to the snapshots that the last upgrade took. */
  rollback?: boolean;
}

const goesOn = 'the same command goes on where this one stopped';

/** `canopy upgrade DEPLOYMENT`: gives its canisters the modules of this release, one after the other. */
export async function upgradeCommand(
  name: string,
  flags: UpgradeFlags,
  output: Output,
): Promise<void> {
  const path = pathOfManifest(name);
  await findManifest(name);
  await withLock(path, async () => {
    const { requireReady } = await import('@canopy/client');
    const deployment = requireReady(await findManifest(name));
    const report = await change(deployment, path, flags, output);
    print(deployment, report, flags, output);
  });
}

async function change(
  deployment: ReadyDeployment,
  path: string,
  flags: UpgradeFlags,
  output: Output,
): Promise<UpgradeReport> {
  const { rollBack, upgradeDeployment } = await import('@canopy/client');
  const { connectToDeployment } = await import('../connect.js');
  const { transport, host } = await connectToDeployment(deployment, flags);
  const { model } = deployment;
  const back = flags.rollback === true;
  let report: UpgradeReport | undefined;
  const run = async (update: (text: string) => void): Promise<void> => {
    const options = {
      transport,
      signal: output.signal,
      onManifest: (state: ReadyDeployment) => writeManifest(path, state),
      onProgress: (detail: string, done: number, total: number) => {
        update(`${done} of ${total} canisters (${detail})`);
      },
    };
    const work = back
      ? rollBack(deployment, options)
      : upgradeDeployment(deployment, {
          ...options,
          modules: await modules(),
          snapshots: flags.snapshots,
        });
    report = await whileReachable(host, goesOn, work);
  };
  const title = back ? `Taking "${model}" back on ${host}` : `Upgrading "${model}" on ${host}`;
  try {
    await runSteps(output, [{ title, run }]);
  } catch (error) {
    if (error instanceof Interrupted) throw new Interrupted(error.signal, goesOn);
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${(error as Error).message}${wayOut(deployment, back)}`);
  }
  return report!;
}

async function modules(): Promise<{ coordinator: Uint8Array; worker: Uint8Array }> {
  const { coordinatorWasmGz } = await import('@canopy/coordinator');
  const { workerWasmGz } = await import('@canopy/worker');
  return { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
}

function wayOut({ snapshots, model }: ReadyDeployment, back: boolean): string {
  const isThere = Object.keys(snapshots ?? {}).length > 0;
  return !back && isThere
    ? `\n"canopy upgrade ${model} --rollback" takes back those that are upgraded`
    : '';
}

function print(
  { model }: ReadyDeployment,
  { changed, left }: UpgradeReport,
  { rollback, snapshots }: UpgradeFlags,
  output: Output,
): void {
  if (output.json) {
    output.print(toJson({ model, changed, left }));
    return;
  }
  const places = changed.map(({ place }) => place).join(', ');
  if (changed.length === 0) {
    output.print(`Nothing to do: all canisters of "${model}" hold the modules of this release.`);
  } else if (rollback === true) {
    output.print(`"${model}" is what it was before its last upgrade: ${places}.`);
  } else {
    output.print(`"${model}" is upgraded: ${places}.`);
    if (snapshots) output.print(`"canopy upgrade ${model} --rollback" takes it back.`);
  }
  const others = left.filter(({ reason }) => !reason.startsWith('holds this module'));
  for (const { place, canister, reason } of others) {
    output.print(`left: ${place} (${canister}) ${reason}`);
  }
}
