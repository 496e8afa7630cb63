import { CoordinatorClient } from '../coordinator-client.js';
import { CanopyError, toCanopyError } from '../errors.js';
import { retry, type RetryOptions } from '../retry.js';
import type { Transport } from '../transport/transport.js';
import { throwIfAborted } from './abort.js';
import { canisterArgument, canisterStatus } from './canister-status.js';
import { inspectDeployment, type Finding } from './inspect.js';
import { giveBack, givesBack } from './give-back.js';
import { isModuleHash, type Deployment } from './manifest.js';

export interface RemoveOptions {
  transport: Transport;
  retry?: RetryOptions;
  /** Told of each canister that was deleted. */
  onRemoved?: (finding: Finding, done: number, total: number) => void;
  /**
   * Module that sends a canister's cycles to the caller's account at the cycles ledger (`@canopy/worker` has it):
   * then they come back. Without it they are gone with the canister.
   */
  refundModule?: Uint8Array;
  /** Called before each canister gives its cycles back; write it down to be able to go on. */
  onManifest?: (deployment: Deployment) => void | Promise<void>;
  /** Ends the removal: no further canister is deleted, and `aborted` is thrown. */
  signal?: AbortSignal;
}

/** What is to be done, or was done, to take a deployment away. */
export interface Removal {
  /** Canisters that are deleted. */
  deleted: readonly Finding[];
  /** Whether the coordinator stays, as it was there before or serves other models, and forgets the model. */
  unregisters: boolean;
  /** Canisters that are there and stay, each with its reason. */
  left: readonly Finding[];
}

/**
 * What {@link removeDeployment} would do: it deletes the canisters that are what the manifest says, and
 * leaves those that others manage or that hold something else.
 */
export async function planRemoval(
  deployment: Deployment,
  { transport, retry: retryOptions }: RemoveOptions,
): Promise<Removal> {
  const { findings, registered } = await inspectDeployment(deployment, {
    transport,
    believeSilent: transport.manage !== undefined,
    ...(retryOptions && { retry: retryOptions }),
  });
  const there = findings.filter(({ state }) => state === 'same');
  const keeper = await keptCoordinator(deployment, there, transport);
  const left = findings.filter(({ state }) => state === 'other' || state === 'foreign');
  return {
    deleted: there.filter((finding) => finding !== keeper?.finding),
    unregisters: keeper !== undefined && registered,
    left: keeper ? [...left, { ...keeper.finding, text: keeper.reason }] : left,
  };
}

/** The coordinator, where it is not the deployment's alone. */
async function keptCoordinator(
  { coordinator, modules, model }: Deployment,
  there: readonly Finding[],
  transport: Transport,
): Promise<{ finding: Finding; reason: string } | undefined> {
  const finding = there.find(({ canister }) => canister === coordinator);
  if (finding === undefined || modules[finding.canister] === undefined) return undefined;
  if (modules[finding.canister] === givesBack) return undefined;
  if (!isModuleHash(modules[finding.canister])) {
    return { finding, reason: 'was there before' };
  }
  const models = await new CoordinatorClient(transport, finding.canister).models();
  const others = models.filter(({ name }) => name !== model).map(({ name }) => `"${name}"`);
  return others.length === 0 ? undefined : { finding, reason: `serves ${others.join(', ')}, too` };
}

/**
 * Stops and deletes the canisters of a deployment, as `removal` says; what was deleted before is passed
 * over, so that it can be repeated after a failure. Cycles come back with `refundModule`. Throws
 * {@link CanopyError}.
 */
export async function removeDeployment(
  deployment: Deployment,
  removal: Removal,
  options: RemoveOptions,
): Promise<void> {
  const { transport, signal } = options;
  const attempt = <T>(what: string, action: () => Promise<T>): Promise<T> =>
    retry(
      what,
      () => {
        throwIfAborted(signal);
        return action();
      },
      options.retry,
    );
  if (removal.unregisters) {
    const coordinator = new CoordinatorClient(transport, deployment.coordinator!);
    await attempt('unregistering the model', () => coordinator.unregisterModel(deployment.model));
  }
  let done = 0;
  for (const finding of removal.deleted) {
    const { canister, place } = finding;
    const { refundModule } = options;
    if (refundModule) {
      deployment.modules[canister] = givesBack;
      await options.onManifest?.(deployment);
      await attempt(`giving back the cycles of ${place} (${canister})`, () =>
        giveBack(transport, canister, refundModule),
      );
    }
    await attempt(`deleting ${place} (${canister})`, () => deleteCanister(transport, canister));
    options.onRemoved?.(finding, ++done, removal.deleted.length);
  }
}

async function deleteCanister(transport: Transport, canister: string): Promise<void> {
  if (!transport.manage) {
    throw new CanopyError('rejected', 'canisters cannot be deleted over this way to the IC');
  }
  const argument = canisterArgument(canister);
  try {
    await transport.manage('stop_canister', argument, canister);
    await transport.manage('delete_canister', argument, canister);
  } catch (error) {
    // An earlier try may have deleted it although its answer was lost.
    const status = await canisterStatus(transport, canister).catch(() => undefined);
    if (status?.kind !== 'missing') throw toCanopyError(error, `canister ${canister}`);
  }
}
