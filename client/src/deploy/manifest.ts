import { parsePlan, type Plan } from '@canopy/protocol';
import { CanopyError, firstLine } from '../errors.js';

export const manifestVersion = 1;

/** Who may call a coordinator. */
export interface AccessOptions {
  /**
   * Whether the anonymous principal may. Nobody can tell its callers apart: they share quotas and limits.
   * @default true on a local network, else false
   */
  anonymous?: boolean;
  /**
   * Every other principal, or texts of those that may.
   * @default 'open'
   */
  callers?: 'open' | readonly string[];
}

/** A snapshot that was taken of a canister before it was upgraded. */
export interface NotedSnapshot {
  /** Hex of its id. */
  id: string;
  /** What {@link Deployment.modules} said of the canister then. */
  module: string;
}

/** A canister that the cycles ledger was asked for, and has not named yet; numbers as text. */
export interface NotedCreation {
  /** Nanoseconds since 1970, by which the ledger knows the order again. */
  createdAt: string;
  amount: string;
  controllers: string[];
  subnet?: string;
}

/**
 * What is known of a deployment. It is plain JSON, written after each step, so that an interrupted
 * deployment goes on where it stopped and a finished one can be run from the file alone.
 */
export interface Deployment {
  format: 'canopy-deployment';
  version: typeof manifestVersion;
  /** Name the model is registered under. */
  model: string;
  /** Address of the IC, where it was reached over HTTP. */
  host?: string;
  /** Hex of the IC's root key, where it is known: another one at the same address is another IC. */
  rootKey?: string;
  /** Name of the run of an IC that forgets everything when it stops. */
  instance?: string;
  /** The subnet that canisters are created on, where it was chosen. */
  subnet?: string;
  /** Written before the cycles ledger is asked, so that no canister is created twice or lost. */
  creating?: NotedCreation;
  /** Canister id of the coordinator, once it is created. */
  coordinator?: string;
  /** Canister ids of the workers created so far: pipeline after pipeline, each stage by stage. */
  workers: string[];
  /** Hex SHA-256 of the module each canister was installed with, or where it came from, by canister id. */
  modules: Record<string, string>;
  /** Who may call besides owners and operators, as the deployment told its coordinator. */
  access?: Required<AccessOptions>;
  /** By canister id; taken by the last upgrade, for going back to what was before it. */
  snapshots?: Record<string, NotedSnapshot>;
  /** Whether the model is registered, so that it can be asked. */
  ready: boolean;
  plan: Plan;
}

/** A deployment that is finished. */
export type ReadyDeployment = Deployment & { coordinator: string; ready: true };

/** Where a deployment is. */
export type Network = Pick<Deployment, 'host' | 'rootKey' | 'instance'>;

/** A deployment of which nothing is done. */
export function newDeployment(model: string, plan: Plan, network: Network = {}): Deployment {
  return {
    format: 'canopy-deployment',
    version: manifestVersion,
    model,
    ...network,
    workers: [],
    modules: {},
    ready: false,
    plan,
  };
}

/** Whether a text of {@link Deployment.modules} is the hash of a module that the deployment installed. */
export function isModuleHash(noted: string | undefined): boolean {
  return /^[0-9a-f]{64}$/.test(noted ?? '');
}

function refuse(reason: string): never {
  throw new CanopyError('bad-deployment', `manifest: ${reason}`);
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isCreation(value: unknown): boolean {
  const { createdAt, amount, controllers } = (value ?? {}) as Partial<NotedCreation>;
  const isNumber = (text: unknown): boolean => typeof text === 'string' && /^\d+$/.test(text);
  return isNumber(createdAt) && isNumber(amount) && isListOfTexts(controllers);
}

/** Reads a manifest from JSON. Throws `bad-deployment` with the reason where it is none. */
export function parseDeployment(json: string): Deployment {
  let manifest: Partial<Deployment> | null;
  try {
    manifest = JSON.parse(json) as Partial<Deployment> | null;
  } catch (error) {
    refuse(`not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (manifest?.format !== 'canopy-deployment') refuse('"format" is not "canopy-deployment"');
  if (manifest.version !== manifestVersion) {
    refuse(`version ${String(manifest.version)}; this release reads ${manifestVersion}`);
  }
  if (typeof manifest.model !== 'string' || !isListOfTexts(manifest.workers)) {
    refuse('"model" or "workers" is missing');
  }
  if (manifest.creating !== undefined && !isCreation(manifest.creating)) {
    refuse('"creating" does not hold a creation');
  }
  if (typeof manifest.modules !== 'object') refuse('"modules" is missing');
  try {
    manifest.plan = parsePlan(JSON.stringify(manifest.plan ?? null));
  } catch (error) {
    refuse(firstLine(error));
  }
  return manifest as Deployment;
}

/** The deployment, if it can be asked. Throws `bad-deployment` where it is not finished. */
export function requireReady(deployment: Deployment): ReadyDeployment {
  if (!deployment.ready || deployment.coordinator === undefined) {
    throw new CanopyError(
      'bad-deployment',
      `the deployment of "${deployment.model}" is not finished: deploy again with this manifest to go on`,
    );
  }
  return deployment as ReadyDeployment;
}
