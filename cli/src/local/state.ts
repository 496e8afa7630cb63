import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Folder for what the command remembers, in the folder it is run in. */
export const canopyFolder = '.canopy';
const stateFile = join(canopyFolder, 'local.json');

/** The local IC that `canopy local start` started. */
export interface LocalIc {
  pid: number;
  /** Tells this run from others, which may have the same address: it forgets everything when it stops. */
  instance?: string;
  /** Address of the server that controls it. */
  server: string;
  /** Address for agents. */
  url: string;
  /** A canister id of the subnet that canisters are created on. */
  effectiveCanisterId: string;
  /** The executable it was started from. */
  executable: string;
}

export async function readLocalIc(): Promise<LocalIc | undefined> {
  try {
    return JSON.parse(await readFile(stateFile, 'utf8')) as LocalIc;
  } catch {
    return undefined;
  }
}

export async function writeLocalIc(local: LocalIc): Promise<void> {
  await mkdir(dirname(stateFile), { recursive: true });
  await writeFile(stateFile, `${JSON.stringify(local, null, 2)}\n`);
}

export async function forgetLocalIc(): Promise<void> {
  await rm(stateFile, { force: true });
}

/** A server that is gone refuses at once; one that executes a long round answers after it. */
const answerTimeoutMs = 30_000;

/** Whether the server answers. */
export async function isRunning(local: LocalIc): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(answerTimeoutMs);
    const response = await fetch(`${local.server}/status`, { signal });
    return response.ok;
  } catch {
    return false;
  }
}
