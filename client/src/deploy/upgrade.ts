import { placeText } from '@canopy/protocol';
import { CanopyError, firstLine, toCanopyError } from '../errors.js';
import { retry, type RetryOptions } from '../retry.js';
import { sha256, toHex } from '../sha256.js';
import type { Transport } from '../transport/transport.js';
import { throwIfAborted } from './abort.js';
import { canisterArgument, canisterStatus } from './canister-status.js';
import {
  deleteSnapshot,
  loadSnapshot,
  takeSnapshot,
  type ManagingTransport,
} from './management-snapshots.js';
import { isModuleHash, type ReadyDeployment } from './manifest.js';

export interface UpgradeOptions {
  transport: Transport;
  /** Called after each canister; write it down: the next upgrade and {@link rollBack} go by it. */
  onManifest?: (deployment: ReadyDeployment) => void | Promise<void>;
  /** Told of each canister that is done. */
  onProgress?: (detail: string, done: number, total: number) => void;
  /** No further canister is begun once it is aborted, and `aborted` is thrown. */
  signal?: AbortSignal;
  retry?: RetryOptions;
}

/** The modules that canisters are to hold. */
export interface Modules {
  coordinator: Uint8Array;
  worker: Uint8Array;
}

export interface UpgradeSettings extends UpgradeOptions {
  modules: Modules;
  /**
   * Whether a snapshot of each canister is taken before it is upgraded. It takes memory that is paid for, and
   * stands in the place of that of the upgrade before.
   * @default true
   */
  snapshots?: boolean;
}

/** A canister of a deployment. */
export interface Placed {
  canister: string;
  /** `coordinator`, or the place of a worker. */
  place: string;
}

/** What an upgrade did, or a way back. */
export interface UpgradeReport {
  changed: readonly Placed[];
  /** Canisters that are left as they are, each with its reason. */
  left: readonly (Placed & { reason: string })[];
}

/** The coordinator comes first: then no call of its own is open when workers stop. */
function canistersOf({ coordinator, workers, plan }: ReadyDeployment): Placed[] {
  return [
    { canister: coordinator, place: 'coordinator' },
    ...workers.map((canister, index) => ({ canister, place: placeText(plan, index) })),
  ];
}

function requireManaging(transport: Transport): ManagingTransport {
  if (transport.manage) return transport as ManagingTransport;
  throw new CanopyError('rejected', 'canisters cannot be upgraded over this way to the IC');
}

/**
 * Gives the canisters of a deployment new modules, one after the other: each is stopped, which waits for its
 * open calls, upgraded and started again. Requests under way go on: tasks wait for a stage that is stopped,
 * and callers try again while the coordinator is. What holds its new module already is passed over, so that
 * an interrupted upgrade can be repeated. Throws {@link CanopyError}: `bad-deployment`, before anything is
 * done, where a canister holds another module than the manifest says; where an upgrade fails, that canister
 * goes on with what it held.
 */
export async function upgradeDeployment(
  deployment: ReadyDeployment,
  settings: UpgradeSettings,
): Promise<UpgradeReport> {
  const steps = new Steps(deployment, settings);
  const { modules, snapshots = true } = settings;
  const hashes = {
    coordinator: toHex(await sha256(modules.coordinator)),
    worker: toHex(await sha256(modules.worker)),
  };
  const changed: Placed[] = [];
  const left: (Placed & { reason: string })[] = [];
  for (const one of canistersOf(deployment)) {
    const hash = one.canister === deployment.coordinator ? hashes.coordinator : hashes.worker;
    const reason = await steps.reasonToLeave(one, hash);
    if (reason === undefined) changed.push(one);
    else left.push({ ...one, reason });
  }
  await steps.each(changed, async ({ canister }) => {
    if (snapshots) await steps.takeSnapshot(canister);
    const what = canister === deployment.coordinator ? 'coordinator' : 'worker';
    await settings.transport.installCode({ canister, module: modules[what], mode: 'upgrade' });
    deployment.modules[canister] = hashes[what];
  });
  return { changed, left };
}

/**
 * Gives the canisters back what they held before the last upgrade, from the snapshots that it took. What
 * happened since is lost: tickets given since then are not known, and requests of before that were done since
 * are done again, or fail. Throws {@link CanopyError}: `bad-deployment` where no snapshot is noted.
 */
export async function rollBack(
  deployment: ReadyDeployment,
  options: UpgradeOptions,
): Promise<UpgradeReport> {
  const steps = new Steps(deployment, options);
  const noted = deployment.snapshots ?? {};
  const all = canistersOf(deployment);
  const changed = all.filter(({ canister }) => noted[canister] !== undefined);
  if (changed.length === 0) {
    throw new CanopyError(
      'bad-deployment',
      `the manifest of "${deployment.model}" notes no snapshot to go back to`,
    );
  }
  await steps.each(changed, async ({ canister }) => {
    const { id, module } = noted[canister]!;
    const transport = requireManaging(options.transport);
    await loadSnapshot(transport, canister, id);
    deployment.modules[canister] = module;
    deployment.snapshots = Object.fromEntries(
      Object.entries(deployment.snapshots ?? {}).filter(([other]) => other !== canister),
    );
    // It is paid for as long as it is there; one that cannot be deleted does no other harm.
    await deleteSnapshot(transport, canister, id).catch(() => undefined);
  });
  const left = all
    .filter((one) => !changed.includes(one))
    .map((one) => ({ ...one, reason: 'has no snapshot' }));
  return { changed, left };
}

class NotStarted extends Error {}

class Steps {
  private readonly transport: ManagingTransport;

  constructor(
    private readonly deployment: ReadyDeployment,
    private readonly options: UpgradeOptions,
  ) {
    this.transport = requireManaging(options.transport);
  }

  /** Why a canister is not upgraded; undefined where it is to be. Throws where it is not what the manifest says. */
  async reasonToLeave({ canister, place }: Placed, hash: string): Promise<string | undefined> {
    const noted = this.deployment.modules[canister];
    if (!isModuleHash(noted)) return `${noted ?? 'was there before'}: it is not of this deployment`;
    const status = await this.attempt(`asking for ${place}`, () =>
      canisterStatus(this.transport, canister),
    );
    const found = status?.kind === 'managed' ? status.moduleHash : undefined;
    if (status?.kind === 'managed' && found === hash) {
      // An upgrade before may have ended between its steps.
      this.deployment.modules[canister] = hash;
      if (status.isStopped) await this.manage('start_canister', canister);
      return 'holds this module already';
    }
    if (found === noted) return undefined;
    const text =
      status?.kind === 'foreign'
        ? 'is managed by others'
        : found === undefined
          ? 'is not there'
          : `holds another module (${found.slice(0, 8)}…) than the manifest says`;
    throw new CanopyError('bad-deployment', `${place} (${canister}) ${text}: nothing was upgraded`);
  }

  /** Stops each canister, changes it, and starts it again, whatever came of the change. */
  async each(canisters: readonly Placed[], change: (one: Placed) => Promise<void>): Promise<void> {
    for (const [done, one] of canisters.entries()) {
      throwIfAborted(this.options.signal);
      try {
        await this.stopped(one.canister, () => change(one));
      } catch (error) {
        throw this.failure(one, done, canisters.length, error);
      } finally {
        await this.options.onManifest?.(this.deployment);
      }
      this.options.onProgress?.(`${one.place}: ${one.canister}`, done + 1, canisters.length);
    }
    if (canisters.length === 0) await this.options.onManifest?.(this.deployment);
  }

  async takeSnapshot(canister: string): Promise<void> {
    const { deployment, transport } = this;
    const snapshots = (deployment.snapshots ??= {});
    const id = await takeSnapshot(transport, canister, snapshots[canister]?.id);
    snapshots[canister] = { id, module: deployment.modules[canister]! };
    await this.options.onManifest?.(deployment);
  }

  private async stopped(canister: string, change: () => Promise<void>): Promise<void> {
    let failure: unknown;
    try {
      await this.manage('stop_canister', canister);
      await change();
    } catch (error) {
      failure = error;
    }
    try {
      await this.manage('start_canister', canister);
    } catch (error) {
      throw new NotStarted('it is stopped and could not be started again', {
        cause: failure ?? error,
      });
    }
    if (failure !== undefined) throw failure as Error;
  }

  private failure(
    { place, canister }: Placed,
    done: number,
    total: number,
    error: unknown,
  ): CanopyError {
    const known = toCanopyError(error instanceof NotStarted ? error.cause : error, place);
    const state =
      error instanceof NotStarted ? `${error.message} (start_canister)` : 'it goes on as before';
    return new CanopyError(
      known.code,
      `${place} (${canister}) was not changed, ${state}: ${firstLine(known)}. Of ${total} canisters ` +
        `${done} are changed, and work with the others; the same again goes on with the rest`,
      known.retryable,
      { cause: error },
    );
  }

  private async manage(method: string, canister: string): Promise<void> {
    const argument = canisterArgument(canister);
    await this.attempt(`${method} of ${canister}`, () =>
      this.transport.manage(method, argument, canister),
    );
  }

  private attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
    return retry(what, action, this.options.retry);
  }
}
