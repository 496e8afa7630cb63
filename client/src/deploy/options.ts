import type { RetryOptions } from '../retry.js';
import type { Transport } from '../transport/transport.js';
import type { AccessOptions, Deployment } from './manifest.js';
import type { OnProgress } from './progress.js';
import type { WorkerSettings } from './worker-config.js';

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
  /**
   * An earlier deployment to go on with: what it did is not done again. It is looked at before it is
   * believed. Where nothing of it is there any more, as on an IC that was started anew, the model is
   * deployed anew.
   */
  resume?: Deployment;
  /** Told why `resume` was not gone on with. */
  onAnew?: (reason: string) => void;
  /** Called after each step with what is done so far; write it down to be able to resume. */
  onManifest?: (deployment: Deployment) => void | Promise<void>;
  onProgress?: OnProgress;
  /** Text of further principals that may manage the canisters. */
  controllers?: readonly string[];
  /**
   * Who may call. Of a coordinator that was there before, or whose model is registered already, only what is
   * said here is changed.
   */
  access?: AccessOptions;
  /** Address to note in the manifest. */
  host?: string;
  /** Name of this run of the IC, of one that forgets everything when it stops; noted in the manifest. */
  instance?: string;
  /** Ends the deployment: nothing more is begun, and `aborted` is thrown. */
  signal?: AbortSignal;
  /**
   * Cycles each canister is created with.
   * @default 100 T
   */
  cycles?: bigint;
  /**
   * Chunks under way at once.
   * @default 6
   */
  uploadConcurrency?: number;
  retry?: RetryOptions;
  /**
   * Milliseconds the workers may take to load their shards.
   * @default 300000
   */
  loadTimeoutMs?: number;
}
