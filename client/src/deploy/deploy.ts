import { WorkerState, workerCount, type Plan } from '@canopy/protocol';
import { CoordinatorClient } from '../coordinator-client.js';
import { CanopyError, toCanopyError } from '../errors.js';
import { retry, type RetryOptions } from '../retry.js';
import { sha256, toHex } from '../sha256.js';
import type { Transport } from '../transport/transport.js';
import { WorkerClient } from '../worker-client.js';
import { newDeployment, requireReady, type Deployment, type ReadyDeployment } from './manifest.js';
import { placeText } from './place.js';
import type { DeployStep, OnProgress } from './progress.js';
import { uploadShards, type DeployableModel } from './upload.js';
import { workerConfig, type WorkerSettings } from './worker-config.js';

export interface DeployOptions extends WorkerSettings {
  transport: Transport;
  /** Compiled canisters, gzipped or not (`@canopy/coordinator` and `@canopy/worker` have them). */
  modules: { coordinator: Uint8Array; worker: Uint8Array };
  /**
   * Name the model is registered under.
   * @default the model's name in the plan
   */
  name?: string;
  /** Canister id of a coordinator that is there already and that the caller manages; else one is made. */
  coordinator?: string;
  /** An earlier, unfinished deployment to go on with: what it did is not done again. */
  resume?: Deployment;
  /** Called after each step with what is done so far; write it down to be able to resume. */
  onManifest?: (deployment: Deployment) => void | Promise<void>;
  onProgress?: OnProgress;
  /** Text of further principals that may manage the canisters. */
  controllers?: readonly string[];
  /** Address to note in the manifest. */
  host?: string;
  /**
   * Cycles each canister is created with.
   * @default 100 T
   */
  cycles?: bigint;
  /**
   * Chunks under way at once.
   * @default 4
   */
  uploadConcurrency?: number;
  retry?: RetryOptions;
  /**
   * Milliseconds the workers may take to load their shards.
   * @default 300000
   */
  loadTimeoutMs?: number;
}

const defaultCycles = 100_000_000_000_000n;

/**
 * Puts a planned model on an Internet Computer: creates a coordinator and a worker for each stage of
 * each pipeline, installs them, uploads the shards, waits until all are loaded, registers the plan. Throws
 * {@link CanopyError}: `anonymous` on a network that is not one's own, before anything is done; what was done until then is in the last manifest given to `onManifest`.
 */
export async function deploy(
  model: DeployableModel,
  options: DeployOptions,
): Promise<ReadyDeployment> {
  const { plan } = model;
  await refuseAnonymous(options.transport);
  const deployment =
    options.resume ?? newDeployment(options.name ?? plan.model.name, plan, options.host);
  checkSamePlan(deployment.plan, plan);
  if (options.coordinator !== undefined) {
    deployment.coordinator = options.coordinator;
    deployment.modules[options.coordinator] ??= 'was there before';
  }
  const run = new DeployRun(model, deployment, options);
  await run.createCanisters();
  await run.installModules();
  await run.configureWorkers();
  await run.upload();
  await run.loadWorkers();
  await run.register();
  return requireReady(deployment);
}

const anonymous = '2vxsx-fae';

/** Whoever creates canisters manages them, and as anonymous that is everybody. */
async function refuseAnonymous(transport: Transport): Promise<void> {
  if ((await transport.principal()) !== anonymous || (await transport.isLocal?.())) return;
  throw new CanopyError(
    'anonymous',
    'deploying as anonymous is for local networks: on any other, everybody could change or delete the ' +
      'canisters. Deploy as an identity of yours: "--identity key.pem", or in a program ' +
      'httpTransport({ host, identity: await loadIdentity("key.pem") }); "icp identity new NAME" makes one, ' +
      '"icp identity export NAME > key.pem" writes its key',
  );
}

function checkSamePlan(earlier: Plan, now: Plan): void {
  const hashes = (plan: Plan): string => plan.stages.map((stage) => stage.shardHash).join();
  if (hashes(earlier) !== hashes(now) || earlier.pipelines !== now.pipelines) {
    throw new CanopyError(
      'bad-deployment',
      'the manifest belongs to another cut of the model: plan with the same options, or deploy anew ' +
        'without it',
    );
  }
}

class DeployRun {
  private readonly plan: Plan;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly model: DeployableModel,
    private readonly deployment: Deployment,
    private readonly options: DeployOptions,
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
    this.saving = this.saving.then(() => this.options.onManifest?.(this.deployment));
    return this.saving;
  }

  private retry<T>(what: string, action: () => Promise<T>): Promise<T> {
    return retry(what, action, this.options.retry);
  }

  async createCanisters(): Promise<void> {
    const { deployment, options } = this;
    const total = 1 + workerCount(this.plan);
    const create = async (what: string): Promise<string> => {
      try {
        return await options.transport.createCanister({
          cycles: options.cycles ?? defaultCycles,
          ...(options.controllers && { controllers: options.controllers }),
        });
      } catch (error) {
        throw toCanopyError(error, `creating the canister of ${what}`);
      }
    };
    if (deployment.coordinator === undefined) {
      deployment.coordinator = await create('the coordinator');
      await this.save();
    }
    this.report('create', 1, total, `coordinator ${deployment.coordinator}`);
    while (deployment.workers.length < workerCount(this.plan)) {
      const place = placeText(this.plan, deployment.workers.length);
      const id = await create(place);
      deployment.workers.push(id);
      await this.save();
      this.report('create', deployment.workers.length + 1, total, `${place}: worker ${id}`);
    }
  }

  async installModules(): Promise<void> {
    const { deployment, options } = this;
    const hashes = {
      coordinator: toHex(await sha256(options.modules.coordinator)),
      worker: toHex(await sha256(options.modules.worker)),
    };
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
    const { uploadConcurrency, retry: retryOptions, onProgress } = this.options;
    await uploadShards(this.model, this.workers, {
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
          const same = models.find((one) => one.name === deployment.model);
          if (same?.workers.join() !== deployment.workers.join()) throw known;
        }
      });
      deployment.ready = true;
      await this.save();
    }
    this.report('register', 1, 1, `model "${deployment.model}"`);
  }
}
