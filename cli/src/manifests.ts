import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseDeployment, type Deployment } from '@canopy/client/manifest';
import { CommandError, UsageError } from './errors.js';
import { canopyFolder } from './local/state.js';

const folder = join(canopyFolder, 'deployments');
/** Where hashes of planned models are kept, so that a second deploy of one does not read its weights. */
export const hashFolder = join(canopyFolder, 'hashes');

/** Where the manifest of a deployment lies, if nobody says otherwise. */
export function manifestPath(name: string): string {
  if (!/^[\w.-]+$/.test(name)) {
    throw new UsageError(
      `"${name}" cannot be a deployment's name: give it one of letters, digits, ".", "_" and "-" with --name`,
    );
  }
  return join(folder, `${name}.json`);
}

/** Writes a manifest so that an interruption leaves the old or the new one, never a part. */
export async function writeManifest(path: string, deployment: Deployment): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const next = `${path}.next`;
  await writeFile(next, `${JSON.stringify(deployment, null, 2)}\n`);
  await rename(next, path);
}

/** A manifest, or undefined where the file is not there. Throws {@link CommandError} where it is none. */
export async function readManifest(path: string): Promise<Deployment | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return parseDeployment(text);
  } catch (error) {
    throw new CommandError(
      `${path} cannot be used: ${(error as Error).message}; remove the file, or name another`,
    );
  }
}

/** Where the manifest lies that a user names by its path or by the deployment's name. */
export function pathOfManifest(pathOrName: string): string {
  const isPath = pathOrName.includes('/') || pathOrName.endsWith('.json');
  return isPath ? pathOrName : manifestPath(pathOrName);
}

/** The manifest a user names by its path or by the deployment's name. */
export async function findManifest(pathOrName: string): Promise<Deployment> {
  const path = pathOfManifest(pathOrName);
  const found = await readManifest(path);
  if (found) return found;
  const names = await deploymentNames();
  throw new CommandError(
    `there is no deployment ${pathOrName} (${path}); ` +
      (names.length === 0 ? 'none was made here' : `made here: ${names.join(', ')}`),
  );
}

/** Names of the deployments made in this folder. */
export async function deploymentNames(): Promise<string[]> {
  const files = await readdir(folder).catch(() => []);
  return files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5));
}
