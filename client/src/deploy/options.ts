import { pipelinePlace, type Plan } from '@canopy/protocol';
import { CanopyError } from '../errors.js';
import type { RetryOptions } from '../retry.js';
import type { Transport } from '../transport/transport.js';
import type { AccessOptions, Deployment } from './manifest.js';
import type { OnProgress } from './progress.js';
import type { WorkerSettings } from './worker-config.js';

/** Cycles that canisters are created with. */
export interface CanisterCycles {
  coordinator: bigint;
  /** Of the worker of each stage. */
  stages: readonly bigint[];
}

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
   * Cycles each canister is created with, of which the fee of creation is taken: one number, or those of the
   * coordinator and of the workers of each stage.
   * @default 100 T where they are given away; with `cyclesLedger` they must be said
   */
  cycles?: bigint | CanisterCycles;
  /**
   * Whether canisters are created through the cycles ledger, from the caller's account, instead of by the
   * method of test networks that gives cycles away.
   * @default where the network is not one's own
   */
  cyclesLedger?: boolean;
  /**
   * Text of the subnet that canisters are created on; needs `cyclesLedger`.
   * @default one for all, of those that are open to everybody
   */
  subnet?: string;
  /**
   * Text of empty canisters that the caller manages: the coordinator's, then the workers'. More are created
   * where these are too few.
   */
  canisters?: readonly string[];
  /**
   * Create the canister once more of which cannot be told whether it was created. The caller has looked.
   * @default false
   */
  createAgain?: boolean;
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

const givenAway = 100_000_000_000_000n;

/** Cycles that a canister is created with: 0 is the coordinator, then come the workers. */
export function cyclesOf(
  { cycles, cyclesLedger }: Pick<DeployOptions, 'cycles' | 'cyclesLedger'>,
  plan: Plan,
  index: number,
): bigint {
  if (typeof cycles === 'bigint') return cycles;
  if (cycles === undefined) {
    if (cyclesLedger !== true) return givenAway;
    throw new CanopyError('bad-deployment', 'say how many cycles each canister is created with');
  }
  return index === 0 ? cycles.coordinator : cycles.stages[pipelinePlace(plan, index - 1).stage]!;
}
