import { WorkerState, placeText, workerCount, type Plan } from '@canopy/protocol';
import { CoordinatorClient } from '../coordinator-client.js';
import { CanopyError, toCanopyError } from '../errors.js';
import { retry } from '../retry.js';
import { sha256, toHex } from '../sha256.js';
import { WorkerClient } from '../worker-client.js';
import { isSameModel } from './inspect.js';
import {
  isModuleHash,
  requireReady,
  type AccessOptions,
  type Deployment,
  type ReadyDeployment,
} from './manifest.js';
import type { DeployOptions } from './options.js';
import { applyAccess } from './access.js';
import { throwIfAborted } from './abort.js';
import { refuseAnonymous } from './anonymous.js';
import { createCanisters } from './create-canisters.js';
import type { DeployStep } from './progress.js';
import { resumeOrBegin, type ModuleHashes } from './resume.js';
import { uploadShards, type DeployableModel } from './upload.js';
import { workerConfig } from './worker-config.js';

export type { DeployOptions } from './options.js';

/**
 * Puts a planned model on an Internet Computer: creates a coordinator and a worker for each stage of
 * each pipeline, installs them, uploads the shards, waits until all are loaded, registers the plan. Throws
 * {@link CanopyError}; what was done until then is in the last manifest given to `onManifest`. Codes
 * `no-cycles` where the caller's account at the cycles ledger does not hold enough for all canisters, and `anonymous` on a network that is not one's own, before anything is done; `bad-deployment` where `resume`
 * is of another cut, or where only a part of it is still there.
 */
export async function deploy(
  model: DeployableModel,
  given: DeployOptions,
): Promise<ReadyDeployment> {
  await refuseAnonymous(given.transport);
  const isLocal = (await given.transport.isLocal?.()) ?? false;
  const options = { ...given, cyclesLedger: given.cyclesLedger ?? !isLocal };
  const { modules } = options;
  const hashes = {
    coordinator: toHex(await sha256(modules.coordinator)),
    worker: toHex(await sha256(modules.worker)),
  };
  const deployment = await resumeOrBegin(model.plan, options, hashes);
  if (options.coordinator !== undefined) {
    deployment.coordinator = options.coordinator;
    deployment.modules[options.coordinator] ??= 'was there before';
  }
  const run = new DeployRun(model, deployment, options, hashes);
  await run.createCanisters();
  await run.installModules();
  await run.configureWorkers();
  await run.upload();
  await run.loadWorkers();
  await run.setAccess();
  await run.register();
  return requireReady(deployment);
}

class DeployRun {
  private readonly plan: Plan;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly model: DeployableModel,
    private readonly deployment: Deployment,
    private readonly options: DeployOptions,
    private readonly hashes: ModuleHashes,
  ) {
    this.plan = model.plan;
  }

  private get workers(): WorkerClient[] {
    return this.deployment.workers.map((id) => new WorkerClient(this.options.transport, id));
  }

  private get canisters(): string[] {
    return [this.deployment.coordinator!, ...this.deployment.workers];
  }

  private report(step: DeployStep, done: number, total: number, detail: string): void {
    this.options.onProgress?.({ step, done, total, detail });
  }

  /** Hands out the manifest; one after the other, as they may be written to one file. */
  private save(): Promise<void> {
    this.saving = this.saving.then(() => {
      throwIfAborted(this.options.signal);
      return this.options.onManifest?.(this.deployment);
    });
    return this.saving;
  }

  private retry<T>(what: string, action: () => Promise<T>): Promise<T> {
    const { signal, retry: retryOptions } = this.options;
    const begin = (): Promise<T> => {
      throwIfAborted(signal);
      return action();
    };
    return retry(what, begin, retryOptions);
  }

  createCanisters(): Promise<void> {
    const { plan, deployment, options } = this;
    return createCanisters({
      plan,
      deployment,
      options,
      save: () => this.save(),
      report: (done, total, detail) => {
        this.report('create', done, total, detail);
      },
      retry: (what, action) => this.retry(what, action),
    });
  }

  async installModules(): Promise<void> {
    const { deployment, options, hashes } = this;
    let done = 0;
    await Promise.all(
      this.canisters.map(async (canister) => {
        const what = canister === deployment.coordinator ? 'coordinator' : 'worker';
        const module = options.modules[what];
        if (deployment.modules[canister] === undefined) {
          // A resumed deployment may have been interrupted between the installation and the note of it.
          const mode = options.resume ? 'reinstall' : 'install';
          await this.retry(`installing canister ${canister}`, () =>
            options.transport.installCode({ canister, module, mode }),
          );
          deployment.modules[canister] = hashes[what];
          await this.save();
        }
        this.report('install', ++done, this.canisters.length, `${what} ${canister}`);
      }),
    );
  }

  async configureWorkers(): Promise<void> {
    const { plan, deployment, options } = this;
    await Promise.all(
      this.workers.map(async (worker, index) => {
        const place = placeText(plan, index);
        const status = await this.retry(place, () => worker.status());
        if (status.state !== WorkerState.empty) return;
        await this.retry(`configuring ${place}`, () =>
          worker.configure(workerConfig({ ...deployment, plan }, index, options)),
        );
      }),
    );
  }

  async upload(): Promise<void> {
    const { uploadConcurrency, retry: retryOptions, onProgress, signal } = this.options;
    await uploadShards(this.model, this.workers, {
      ...(signal && { signal }),
      ...(uploadConcurrency !== undefined && { concurrency: uploadConcurrency }),
      ...(retryOptions && { retry: retryOptions }),
      ...(onProgress && { onProgress }),
    });
  }

  async loadWorkers(): Promise<void> {
    const deadline = Date.now() + (this.options.loadTimeoutMs ?? 300_000);
    const total = workerCount(this.plan);
    let done = 0;
    await Promise.all(
      this.workers.map(async (worker, index) => {
        const place = placeText(this.plan, index);
        await this.loadWorker(worker, place, deadline);
        this.report('load', ++done, total, `${place}: worker ${worker.canister}`);
      }),
    );
  }

  private async loadWorker(worker: WorkerClient, place: string, deadline: number): Promise<void> {
    const what = `loading ${place}`;
    const state = async (): Promise<number> =>
      (await this.retry(what, () => worker.status())).state;
    if ((await state()) === WorkerState.ready) return;
    await this.retry(what, () => worker.load());
    for (let delay = 20; (await state()) !== WorkerState.ready; delay = Math.min(1000, delay * 2)) {
      if (Date.now() > deadline) {
        throw new CanopyError(
          'timeout',
          `${place} (worker ${worker.canister}) is not loaded in time: deploy again with the ` +
            `manifest to go on`,
          true,
        );
      }
      await this.options.transport.wait(delay);
    }
  }

  /** Anonymous callers are for local networks, unless the options say otherwise. */
  async setAccess(): Promise<void> {
    const { deployment, options } = this;
    const isNew = !deployment.ready && isModuleHash(deployment.modules[deployment.coordinator!]);
    const isLocal = isNew && ((await options.transport.isLocal?.()) ?? false);
    const wanted: AccessOptions = { ...(isNew && { anonymous: isLocal }), ...options.access };
    if (Object.keys(wanted).length === 0) return;
    const coordinator = new CoordinatorClient(options.transport, deployment.coordinator!);
    await this.retry('saying who may call', () => applyAccess(coordinator, wanted, deployment));
    await this.save();
  }

  async register(): Promise<void> {
    const { deployment, options, plan } = this;
    const coordinator = new CoordinatorClient(options.transport, deployment.coordinator!);
    if (!deployment.ready) {
      await this.retry('registering the model', async () => {
        try {
          await coordinator.registerModel(
            deployment.model,
            JSON.stringify(plan),
            deployment.workers,
          );
        } catch (error) {
          // An earlier try may have been carried out although its answer was lost.
          const known = toCanopyError(error, 'registering the model');
          const models = known.code === 'model-exists' ? await coordinator.models() : [];
          if (!models.some((one) => isSameModel(one, { ...deployment, plan }))) throw known;
        }
      });
      deployment.ready = true;
      await this.save();
    }
    this.report('register', 1, 1, `model "${deployment.model}"`);
  }
}
