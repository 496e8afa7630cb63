import { rm } from 'node:fs/promises';
import type { Deployment, Removal } from '@canopy/client';
import { askYes } from '../ask.js';
import type { ConnectFlags } from '../connect.js';
import { CommandError, Interrupted } from '../errors.js';
import { withLock } from '../lock.js';
import { findManifest, pathOfManifest, writeManifest } from '../manifests.js';
import { toJson, type Output } from '../output.js';
import { cannotConnect, isOnThisMachine, whileReachable } from '../reach.js';
import { runSteps } from '../steps.js';

export interface RemoveFlags extends ConnectFlags {
  /** Do not ask. */
  yes?: boolean;
}

/** What was removed, and the cycles that came back, where there is a cycles ledger. */
interface Removed extends Removal {
  cyclesBack?: bigint;
}

const goesOn = 'the same command goes on where this one stopped';

/** `canopy destroy DEPLOYMENT`: gives back the cycles of its canisters, and deletes its canisters and its manifest. */
export async function removeCommand(
  name: string,
  flags: RemoveFlags,
  output: Output,
): Promise<void> {
  const path = pathOfManifest(name);
  await findManifest(name);
  await withLock(path, async () => {
    const deployment = await findManifest(name);
    const lost = await isLost(deployment, flags);
    const removal = lost
      ? await forget(deployment, flags, output)
      : await takeAway(deployment, path, flags, output);
    if (removal === undefined) {
      output.note('Nothing was removed.');
      return;
    }
    await rm(path);
    await report(deployment, removal, path, output);
  });
}

/** Whether a deployment was on a local IC that does not run any more. */
async function isLost({ host, instance }: Deployment, flags: ConnectFlags): Promise<boolean> {
  const isNamed = flags.replica !== undefined || flags.network !== undefined;
  if (isNamed || host === undefined || !isOnThisMachine(host)) return false;
  if ((await cannotConnect(host)) !== undefined) return true;
  const { readLocalIc } = await import('../local/state.js');
  const local = await readLocalIc();
  return local?.url === host && instance !== undefined && local.instance !== instance;
}

/** Agrees that only the manifest goes; undefined where the user does not want it. */
async function forget(
  { model, host }: Deployment,
  flags: RemoveFlags,
  output: Output,
): Promise<Removal | undefined> {
  const question = `The local IC of "${model}", ${host!}, does not run any more. Remove the manifest?`;
  if (flags.yes !== true && !(await askYes(question, output))) return undefined;
  return { deleted: [], unregisters: false, left: [] };
}

/** Deletes the canisters; undefined where the user does not want it. */
async function takeAway(
  deployment: Deployment,
  path: string,
  flags: RemoveFlags,
  output: Output,
): Promise<Removed | undefined> {
  const { CyclesLedgerClient, hasCyclesLedger, planRemoval, removeDeployment } =
    await import('@canopy/client');
  const { connectToDeployment } = await import('../connect.js');
  const { transport, host } = await connectToDeployment(deployment, flags);
  const removal = await whileReachable(host, goesOn, planRemoval(deployment, { transport }));
  const foreign = removal.left.filter(({ state }) => state === 'foreign');
  if (foreign.length > 0) {
    const which = foreign.map(({ place, canister }) => `${place} (${canister})`).join(', ');
    throw new CommandError(
      `${which}: managed by others; --identity names the key that "${deployment.model}" was deployed with`,
    );
  }
  if (deployment.creating !== undefined) {
    throw new CommandError(
      'a canister was paid for that the cycles ledger has not named yet: deploy again, then it can be removed, too',
    );
  }
  const ledger = (await hasCyclesLedger(transport)) ? new CyclesLedgerClient(transport) : undefined;
  const before = await ledger?.balance();
  const canisters = removal.deleted.map(({ place, canister }) => `${place} (${canister})`);
  const what = canisters.length === 0 ? 'no canister' : canisters.join(', ');
  const cycles = ledger ? 'Their cycles come back.' : 'Cycles in them are lost.';
  const question = `Remove "${deployment.model}" from ${host}: ${what}? ${cycles}`;
  if (flags.yes !== true && !(await askYes(question, output))) return undefined;
  try {
    await runSteps(output, [
      {
        title: `Removing "${deployment.model}" from ${host}`,
        run: async (update) => {
          const work = removeDeployment(deployment, removal, {
            transport,
            signal: output.signal,
            ...(ledger && { refundModule: (await import('@canopy/worker')).refundWasm() }),
            onManifest: (state) => writeManifest(path, state),
            onRemoved: ({ place, canister }, done, total) => {
              update(`${done} of ${total} canisters (${place}: ${canister})`);
            },
          });
          await whileReachable(host, goesOn, work);
        },
      },
    ]);
  } catch (error) {
    if (error instanceof Interrupted) throw new Interrupted(error.signal, goesOn);
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${(error as Error).message}\nThe manifest stays: ${goesOn}`);
  }
  if (before === undefined) return removal;
  return { ...removal, cyclesBack: (await ledger!.balance()) - before };
}

async function report(
  deployment: Deployment,
  removal: Removed,
  path: string,
  output: Output,
): Promise<void> {
  const { deleted, unregisters, left, cyclesBack } = removal;
  if (output.json) {
    output.print(toJson({ model: deployment.model, manifest: path, ...removal }));
    return;
  }
  output.print(
    `"${deployment.model}" is removed: ${deleted.length} canisters deleted, ` +
      `${unregisters ? 'the model unregistered, ' : ''}the manifest ${path} is gone.`,
  );
  if (cyclesBack !== undefined) {
    const { trillions } = await import('@canopy/client');
    output.print(`${trillions(cyclesBack)} cycles came back to your account at the cycles ledger.`);
  }
  for (const { place, canister, text } of left) {
    output.print(`left: ${place} (${canister}) ${text}`);
  }
}
