import { Principal } from '@dfinity/principal';
import {
  CanisterError,
  WorkerState,
  decodeWorkerConfig,
  deploymentFingerprint,
  pipelinePlace,
  type WorkerConfig,
  placeText,
} from '@canopy/protocol';
import { CoordinatorClient, type KnownModel } from '../coordinator-client.js';
import { CanopyError, toCanopyError } from '../errors.js';
import { retry, type RetryOptions } from '../retry.js';
import { toHex } from '../sha256.js';
import type { Transport } from '../transport/transport.js';
import { WorkerClient } from '../worker-client.js';
import { canisterHealth, isSilent } from './canister-health.js';
import { canisterStatus } from './canister-status.js';
import { givesBack } from './give-back.js';
import { isModuleHash, type Deployment, type ReadyDeployment } from './manifest.js';
import { chunkCount } from './upload.js';
import { workerConfig } from './worker-config.js';

/** What became of one canister of a deployment. */
export interface Finding {
  canister: string;
  /** `coordinator`, or the place of a worker. */
  place: string;
  /**
   * Whether it is still what the manifest says: `gone` where there is nothing, `foreign` where the caller
   * may not look, `other` where it holds something else.
   */
  state: 'same' | 'gone' | 'foreign' | 'other';
  /** What was found, for people: `is not there`, `holds another shard`. */
  text: string;
}

/**
 * What became of a deployment: `same` where all its canisters are what the manifest says, `gone` where
 * surely none is, `changed` otherwise.
 */
export type Standing = 'same' | 'gone' | 'changed';

export interface Inspection {
  standing: Standing;
  findings: readonly Finding[];
  /** Whether the coordinator knows the model by its name, on these workers. */
  registered: boolean;
}

export interface InspectOptions {
  transport: Transport;
  /** Hex hashes of the modules that canisters are installed with now. */
  moduleHashes?: { coordinator: string; worker: string };
  /**
   * Whether canisters that are stopped or frozen, and so cannot be asked, are believed by their modules.
   * @default false: they are waited for
   */
  believeSilent?: boolean;
  retry?: RetryOptions;
}

type Found = Pick<Finding, 'state' | 'text'>;

const same: Found = { state: 'same', text: 'is as the manifest says' };
const other = (text: string): Found => ({ state: 'other', text });
const gone = (text: string): Found => ({ state: 'gone', text });

/**
 * Looks whether the canisters of a manifest are still those that were deployed: an IC that was started
 * anew gives the same ids and addresses to others. Changes nothing. Throws {@link CanopyError} where
 * the IC does not answer.
 */
export async function inspectDeployment(
  deployment: Deployment,
  options: InspectOptions,
): Promise<Inspection> {
  const inspector = new Inspector(deployment, options);
  const { coordinator, workers, plan } = deployment;
  const places = [
    ...(coordinator === undefined ? [] : [{ canister: coordinator, place: 'coordinator' }]),
    ...workers.map((canister, index) => ({ canister, place: placeText(plan, index) })),
  ];
  const found = await Promise.all(
    places.map(({ canister }, index) =>
      inspector.canister(canister, index - (coordinator === undefined ? 0 : 1)),
    ),
  );
  const findings = places.map((one, index) => ({ ...one, ...found[index]! }));
  return { standing: standingOf(findings), findings, registered: inspector.registered };
}

function standingOf(findings: readonly Finding[]): Standing {
  if (findings.every(({ state }) => state === 'same')) return 'same';
  return findings.some(({ state }) => state === 'same' || state === 'foreign') ? 'changed' : 'gone';
}

/** Whether a coordinator's model is that of a deployment: name, workers, and what they hold. */
export function isSameModel(known: KnownModel, { model, workers, plan }: Deployment): boolean {
  const ids = workers.map((id) => Principal.fromText(id).toUint8Array());
  return known.name === model && known.deployment === deploymentFingerprint(plan, ids);
}

/**
 * Makes sure that a coordinator knows the model of a deployment, and not another by the same name. Throws
 * {@link CanopyError} `unknown-model` where it does not.
 */
export async function requireRegistered(
  deployment: ReadyDeployment,
  { transport, retry: retryOptions }: InspectOptions,
): Promise<void> {
  const { coordinator, model } = deployment;
  const client = new CoordinatorClient(transport, coordinator);
  const models = await retry('asking for models', () => client.models(), retryOptions);
  if (models.some((known) => isSameModel(known, deployment))) return;
  const namesake = models.some(({ name }) => name === model);
  const names = models.map(({ name }) => `"${name}"`).join(', ');
  throw new CanopyError(
    CanisterError.unknownModel.code,
    namesake
      ? `coordinator ${coordinator} knows another model by the name "${model}"`
      : `coordinator ${coordinator} does not know "${model}"; it knows ${names || 'no model'}`,
  );
}

class Inspector {
  registered = false;

  constructor(
    private readonly deployment: Deployment,
    private readonly options: InspectOptions,
  ) {}

  /** @param index of the worker; -1 of the coordinator */
  async canister(canister: string, index: number): Promise<Found> {
    const noted = this.deployment.modules[canister];
    const status = await this.ask(() => canisterStatus(this.options.transport, canister));
    if (status?.kind === 'missing') return gone('is not there');
    if (status?.kind === 'foreign') return { state: 'foreign', text: 'is managed by others' };
    // It was this deployment's when that was noted, and is about to be deleted.
    if (noted === givesBack && status?.kind === 'managed') return same;
    const hash = status?.moduleHash;
    // Nothing was installed yet, or the way to the IC cannot tell.
    if (noted === undefined && hash === undefined) return same;
    if (status && hash === undefined) return gone('is empty');
    const isHash = isModuleHash(noted);
    const expected = isHash
      ? noted
      : this.options.moduleHashes?.[index < 0 ? 'coordinator' : 'worker'];
    // The module of a coordinator that was there before is the caller's affair.
    const known = noted === undefined || isHash;
    if (known && hash !== undefined && hash !== expected) {
      return other(`holds another module (${hash.slice(0, 8)}…)`);
    }
    if (isHash && (await this.isBelieved(canister))) return same;
    try {
      return index < 0
        ? await this.coordinator(canister)
        : await this.worker(canister, index, noted !== undefined);
    } catch (error) {
      if (error instanceof CanopyError && !error.retryable) return other(error.message);
      throw error;
    }
  }

  private async isBelieved(canister: string): Promise<boolean> {
    const { believeSilent = false, transport } = this.options;
    return believeSilent && isSilent(await this.ask(() => canisterHealth(transport, canister)));
  }

  /** @param installed whether the manifest says that its module was installed */
  private async worker(canister: string, index: number, installed: boolean): Promise<Found> {
    const { plan } = this.deployment;
    const worker = new WorkerClient(this.options.transport, canister);
    const status = await this.ask(() => worker.status());
    if (status.state === WorkerState.empty) return same;
    if (!installed || !this.isOurs(status.configuration, index)) {
      return other('works for another deployment');
    }
    const stage = plan.stages[pipelinePlace(plan, index).stage]!;
    const isPlace =
      status.stageIndex === stage.index &&
      status.stageCount === plan.stages.length &&
      status.chunkCount === chunkCount(plan, stage.index);
    const isShard =
      status.state !== WorkerState.ready || toHex(status.shardHash) === stage.shardHash;
    return isPlace && isShard ? same : other('holds another shard');
  }

  /** Whether a worker was told of this deployment's coordinator and workers. */
  private isOurs(configuration: Uint8Array, index: number): boolean {
    if (configuration.length === 0 || this.deployment.coordinator === undefined) return true;
    const told = decodeWorkerConfig(configuration);
    const expected = workerConfig(this.deployment, index);
    const canisters = ({ coordinator, workers }: WorkerConfig): string =>
      [coordinator, ...workers].map(toHex).join();
    return canisters(told) === canisters(expected);
  }

  private async coordinator(canister: string): Promise<Found> {
    const { model, workers } = this.deployment;
    const client = new CoordinatorClient(this.options.transport, canister);
    const models = await this.ask(() => client.models());
    for (const known of models) {
      if (isSameModel(known, this.deployment)) this.registered = true;
      else if (known.name === model || (await this.uses(client, known.name, workers))) {
        return other(`knows "${known.name}" on workers of another deployment`);
      }
    }
    return same;
  }

  /** Whether a model of another name is on workers of this deployment. Only operators see that. */
  private async uses(
    client: CoordinatorClient,
    name: string,
    workers: readonly string[],
  ): Promise<boolean> {
    try {
      const known = await this.ask(() => client.registration(name));
      return known.workers.some((id) => workers.includes(id));
    } catch (error) {
      const { code } = toCanopyError(error, 'asking for a plan');
      if (code === CanisterError.notAuthorised.code) return false;
      throw error;
    }
  }

  private ask<T>(action: () => Promise<T>): Promise<T> {
    return retry('looking at what is deployed', action, this.options.retry);
  }
}
