import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cannotConnect } from '../reach.js';

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

/** Milliseconds that a server which works may keep a question waiting. */
const answerTimeoutMs = 2000;

/** Whether the server runs. One that takes connections but is too busy to answer does. */
export async function isRunning({ server }: LocalIc): Promise<boolean> {
  if ((await cannotConnect(server)) !== undefined) return false;
  try {
    const response = await fetch(`${server}/status`, {
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    return response.ok;
  } catch (error) {
    return (error as Error).name === 'TimeoutError';
  }
}
