import type { Plan } from '@canopy/protocol';
import { CanopyError } from '../errors.js';
import { inspectDeployment, type Finding } from './inspect.js';
import { isModuleHash, newDeployment, type Deployment, type Network } from './manifest.js';
import type { DeployOptions } from './options.js';

/** Hex hashes of the modules that are installed now. */
export interface ModuleHashes {
  coordinator: string;
  worker: string;
}

function refuse(reason: string): never {
  throw new CanopyError('bad-deployment', reason);
}

/** The deployment to go on with, or a new one. Throws `bad-deployment`: see `deploy`. */
export async function resumeOrBegin(
  plan: Plan,
  options: DeployOptions,
  moduleHashes: ModuleHashes,
): Promise<Deployment> {
  const { resume, transport, host, instance, retry } = options;
  const rootKey = transport.rootKey?.();
  const here: Network = {
    ...(host !== undefined && { host }),
    ...(rootKey !== undefined && { rootKey }),
    ...(instance !== undefined && { instance }),
  };
  const anew = newDeployment(options.name ?? plan.model.name, plan, here);
  if (!resume) return anew;
  if (isElsewhere(resume, here)) {
    options.onAnew?.('the manifest is of an Internet Computer that is not there any more');
    return anew;
  }
  const total = 1 + resume.workers.length;
  options.onProgress?.({ step: 'look', done: 0, total, detail: 'what the manifest names' });
  const { standing, findings, registered } = await inspectDeployment(resume, {
    transport,
    moduleHashes,
    ...(retry && { retry }),
  });
  const differences = findings.filter(({ state }) => state !== 'same');
  if (standing === 'gone') {
    options.onAnew?.(`nothing of the manifest is there any more: ${list(differences)}`);
    // A canister that was paid for and not named yet becomes one of the new ones.
    return { ...anew, ...(resume.creating && { creating: resume.creating }) };
  }
  checkSamePlan(resume.plan, plan);
  if (standing === 'changed') {
    refuse(
      `not all that the manifest of "${resume.model}" names is there as it says: ${list(differences)}`,
    );
  }
  const deployment = { ...resume, ...here, ready: resume.ready && registered };
  checkSameRelease(deployment, moduleHashes);
  return deployment;
}

function list(findings: readonly Finding[]): string {
  return findings.map(({ place, canister, text }) => `${place} (${canister}) ${text}`).join('; ');
}

/** Whether a manifest is surely of another IC than that at hand. */
function isElsewhere(resume: Network, here: Network): boolean {
  const differs = (field: keyof Network): boolean =>
    resume[field] !== undefined && here[field] !== undefined && resume[field] !== here[field];
  return differs('rootKey') || differs('instance');
}

function checkSamePlan(earlier: Plan, now: Plan): void {
  const hashes = (plan: Plan): string => plan.stages.map((stage) => stage.shardHash).join();
  if (earlier.model.sha256 !== now.model.sha256) {
    refuse('the manifest belongs to another model file');
  }
  if (hashes(earlier) !== hashes(now) || earlier.pipelines !== now.pipelines) {
    const shape = ({ stages, pipelines }: Plan): string =>
      `${pipelines === 1 ? '' : `${pipelines} pipelines of `}${stages.length} stages`;
    refuse(
      `the manifest belongs to another cut of the model (${shape(earlier)}; asked for: ${shape(now)}): ` +
        'plan with the same options, or deploy anew without it',
    );
  }
}

/** Canisters of one deployment hold modules of one release. */
function checkSameRelease({ ready, coordinator, modules }: Deployment, now: ModuleHashes): void {
  if (ready) return;
  const old = Object.entries(modules).filter(
    ([canister, hash]) =>
      isModuleHash(hash) && hash !== now[canister === coordinator ? 'coordinator' : 'worker'],
  );
  if (old.length > 0) {
    refuse('the deployment was begun with another release of Canopy, whose canisters differ');
  }
}
