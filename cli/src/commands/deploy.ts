import { readFile } from 'node:fs/promises';
import type { AccessOptions, Deployment, DeployProgress, ReadyDeployment } from '@canopy/client';
import type { PlannedModel } from '@canopy/partitioner';
import type { Connection } from '../connect.js';
import { CommandError, Interrupted, UsageError } from '../errors.js';
import { withLock } from '../lock.js';
import { hashFolder, manifestPath, readManifest, writeManifest } from '../manifests.js';
import { parseCanisters, type CallersFlag } from '../options.js';
import { table, toJson, type Output } from '../output.js';
import { cannotConnect, isOnThisMachine, whileReachable } from '../reach.js';
import { runSteps } from '../steps.js';
import type { ProfileName } from '@canopy/local-ic/prices';
import { destinationOf, isWanted, showPreview, type OfferFlags } from '../preview/offer.js';
import type { Preview } from '../preview/preview.js';
import { describeWeightError } from '../weight-error.js';
import { checkError, planOptions, type PlanFlags } from './plan.js';

export interface DeployFlags extends PlanFlags, OfferFlags {
  manifest?: string;
  openCalls?: number;
  callers?: CallersFlag;
  /** Undefined: on a local network only. */
  allowAnonymous?: boolean;
  /** Deploy anew even where a manifest of this name exists. */
  fresh?: boolean;
  /** File with ids of canisters to take. */
  canisters?: string;
  createAgain?: boolean;
  profile: ProfileName;
  /** Inferences a day that the preview reckons with. */
  rate: number;
  /** US dollars a trillion cycles. */
  usd: number;
  /** Only show the preview. */
  preview?: boolean;
}

const verbs: Record<DeployProgress['step'], string> = {
  look: 'Looking at what is there',
  create: 'Creating canisters',
  install: 'Installing canisters',
  upload: 'Uploading shards',
  load: 'Loading shards',
  register: 'Registering the model',
};

/** What the same command does after this one did not finish. */
const goesOn = 'the same command goes on where this one stopped';
/** What helps where a manifest cannot be gone on with. */
const waysOut =
  '--fresh deploys anew with new canisters and forgets these; --name NAME makes another deployment beside them';
const otherKey = '--identity FILE names the key that it was deployed with';

function describe({ step, done, total, detail }: DeployProgress): string {
  const count =
    step === 'upload'
      ? `${(done / 1024 ** 2).toFixed(1)} of ${(total / 1024 ** 2).toFixed(1)} MiB`
      : `${done} of ${total}`;
  return `${verbs[step]}: ${count} (${detail})`;
}

/** `canopy deploy MODEL`: plans a model, shows what it takes, and puts it on an Internet Computer. */
export async function deployCommand(
  model: string,
  flags: DeployFlags,
  output: Output,
): Promise<void> {
  await checkPrincipals('--callers', flags.callers === 'open' ? [] : (flags.callers ?? []));
  await checkPrincipals('--subnet', flags.subnet === undefined ? [] : [flags.subnet]);
  const canisters = await namedCanisters(flags.canisters);
  const { connect } = await import('../connect.js');
  const connection = flags.preview === true ? undefined : await connect(flags);
  if (connection) {
    const { refuseAnonymous } = await import('@canopy/client');
    await refuseAnonymous(connection.transport);
  }
  const { planModel } = await import('@canopy/partitioner');
  let planned: PlannedModel | undefined;
  try {
    await runSteps(output, [
      {
        title: `Planning ${model}`,
        run: async () => {
          planned = await planModel(model, { ...planOptions(flags), hashFolder });
        },
      },
    ]);
    const error = await checkError(model, planned!, flags, output);
    if (error && !output.json) output.print(`${describeWeightError(error)}\n`);
    const { previewDeployment } = await import('../preview/preview.js');
    const { profile, usd: usDollarsPerTrillion, rate: inferencesADay } = flags;
    const rates = { profile, usDollarsPerTrillion, inferencesADay };
    const preview = previewDeployment(planned!, await modules(), rates);
    if (!connection) {
      await showPreview(preview, undefined, flags, output);
      return;
    }
    const path = flags.manifest ?? manifestPath(planned!.plan.model.name);
    const deployment = await withLock(path, () =>
      deployPlanned(planned!, path, { ...flags, canisters }, connection, preview, output),
    );
    if (deployment === undefined) output.note('Nothing was deployed.');
    else await printDeployment(deployment, planned!, path, preview, output);
  } catch (error) {
    throw error instanceof Interrupted ? new Interrupted(error.signal, goesOn) : error;
  } finally {
    planned?.close();
  }
}

async function modules(): Promise<{ coordinator: Uint8Array; worker: Uint8Array }> {
  const { coordinatorWasmGz } = await import('@canopy/coordinator');
  const { workerWasmGz } = await import('@canopy/worker');
  return { coordinator: coordinatorWasmGz(), worker: workerWasmGz() };
}

/** Ids of the canisters that a file names. Throws where one is no id. */
async function namedCanisters(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const ids = parseCanisters(await readFile(file, 'utf8'));
  await checkPrincipals(file, ids);
  return ids;
}

/** Throws {@link UsageError} where one is no principal, before anything is done. */
async function checkPrincipals(where: string, texts: readonly string[]): Promise<void> {
  if (texts.length === 0) return;
  const { Principal } = await import('@dfinity/principal');
  for (const text of texts) {
    try {
      Principal.fromText(text);
    } catch (error) {
      throw new UsageError(`${where}: "${text}" is no principal: ${(error as Error).message}`);
    }
  }
}

async function deployPlanned(
  planned: PlannedModel,
  path: string,
  flags: Omit<DeployFlags, 'canisters'> & { canisters: readonly string[] },
  connection: Connection,
  preview: Preview,
  output: Output,
): Promise<ReadyDeployment | undefined> {
  const { transport, host, instance } = connection;
  const { CanopyError, deploy } = await import('@canopy/client');
  const { recommendedCycles } = await import('../preview/preview.js');
  let deployment: ReadyDeployment | undefined;
  const notes: string[] = [];
  // Also what is to be forgotten is read: no file is overwritten that is no manifest.
  const earlier = await readManifest(path);
  const resume =
    earlier === undefined || flags.fresh === true
      ? undefined
      : await requireHere(earlier, path, host, notes);
  const destination = await destinationOf(preview, resume, flags, flags.canisters, connection);
  await showPreview(preview, destination, flags, output);
  if (!(await isWanted(destination, resume, flags, connection, output))) return undefined;
  if (flags.fresh === true && earlier) await keepEarlier(earlier, path, connection, output);
  const { paid } = destination;
  const cycles = flags.cycles ?? (paid ? recommendedCycles(preview) : undefined);
  const given = await modules();
  const run = async (update: (text: string) => void): Promise<void> => {
    const work = deploy(planned, {
      transport,
      modules: given,
      cyclesLedger: paid,
      ...(cycles !== undefined && { cycles }),
      ...(flags.subnet !== undefined && { subnet: flags.subnet }),
      canisters: flags.canisters,
      createAgain: flags.createAgain ?? false,
      host,
      signal: output.signal,
      ...(instance !== undefined && { instance }),
      ...(flags.openCalls !== undefined && { openCalls: flags.openCalls }),
      access: {
        ...(flags.callers !== undefined && { callers: flags.callers }),
        ...(flags.allowAnonymous !== undefined && { anonymous: flags.allowAnonymous }),
      },
      onManifest: (state) => writeManifest(path, state),
      onProgress: (progress) => {
        update(describe(progress));
      },
      onAnew: (reason) => notes.push(`Deployed anew: ${reason}.`),
      ...(resume && { resume }),
    });
    deployment = await whileReachable(host, goesOn, work);
  };
  try {
    await runSteps(output, [{ title: `Deploying to ${host}`, run }]);
  } catch (error) {
    const isManifest = error instanceof CanopyError && error.code === 'bad-deployment';
    if (!isManifest) throw error;
    const isForeign = error.message.includes('is managed by others');
    throw new CommandError(
      `${path}: ${error.message}\n${isForeign ? `${otherKey}; ` : ''}${waysOut}`,
    );
  }
  for (const note of notes) output.note(note);
  return deployment!;
}

/** Keeps the manifest of a deployment that `--fresh` does not go on with, where its canisters are paid for. */
async function keepEarlier(
  earlier: Deployment,
  path: string,
  { transport }: Connection,
  output: Output,
): Promise<void> {
  if (earlier.coordinator === undefined && earlier.creating === undefined) return;
  if (await transport.isLocal()) return;
  const kept = path.replace(/(\.json)?$/, `-before-${Date.now()}.json`);
  await writeManifest(kept, earlier);
  output.note(`What was there is kept in ${kept}: "canopy destroy ${kept}" gives its cycles back.`);
}

/**
 * An earlier deployment, to go on with; undefined where it was on a local IC that does not run any more.
 * Throws {@link CommandError} where it is elsewhere.
 */
async function requireHere(
  earlier: Deployment,
  path: string,
  host: string,
  notes: string[],
): Promise<Deployment | undefined> {
  if (earlier.host === undefined || earlier.host === host) return earlier;
  if (isOnThisMachine(earlier.host) && (await cannotConnect(earlier.host)) !== undefined) {
    notes.push(
      `Deployed anew: the local IC of the manifest, ${earlier.host}, does not run any more.`,
    );
    return undefined;
  }
  throw new CommandError(
    `${path} is of a deployment on ${earlier.host}, not on ${host}\n${waysOut}; --network ${earlier.host} goes on with it`,
  );
}

function describeAccess({ anonymous, callers }: Required<AccessOptions>): string {
  const who =
    callers === 'open'
      ? `Everybody may call${anonymous ? ', anonymous callers too' : ' who has an identity'}`
      : `${callers.length} principals may call${anonymous ? ', and anonymous callers' : ''}`;
  return `${who}; --callers and --allow-anonymous say otherwise.`;
}

async function printDeployment(
  deployment: ReadyDeployment,
  planned: PlannedModel,
  path: string,
  preview: Preview,
  output: Output,
): Promise<void> {
  if (output.json) {
    const { plan, ...rest } = deployment;
    output.print(toJson({ ...rest, stages: plan.stages, manifest: path, preview }));
    return;
  }
  const { formatPlan } = await import('@canopy/partitioner');
  const { placeText } = await import('@canopy/client');
  output.print(formatPlan(planned));
  output.print('');
  output.print(
    table(
      ['', 'canister'],
      [
        ['coordinator', deployment.coordinator],
        ...deployment.workers.map((id, index) => [placeText(deployment.plan, index), id]),
      ],
    ),
  );
  output.print('');
  if (deployment.access) output.print(describeAccess(deployment.access));
  output.print(`Model "${deployment.model}" is ready; its manifest is ${path}.`);
}
