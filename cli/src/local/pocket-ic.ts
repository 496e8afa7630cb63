import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CommandError } from '../errors.js';
import { commandOf, spawnServer } from './server.js';

/** Seconds without a request after which a server ends whose command was killed. */
const ttlSeconds = 15 * 60;

/** The binary that `@dfinity/pic` downloads when it is installed, where it is there. */
function downloadedExecutable(): string | undefined {
  try {
    const pic = createRequire(import.meta.url).resolve('@dfinity/pic/package.json');
    const executable = join(dirname(pic), 'pocket-ic');
    return existsSync(executable) ? executable : undefined;
  } catch {
    return undefined;
  }
}

/** The PocketIC server to start. Throws {@link CommandError} where there is none. */
export function pocketIcExecutable(): string {
  const named = process.env['POCKET_IC_BIN'];
  const executable = named !== undefined && named !== '' ? resolve(named) : downloadedExecutable();
  if (executable === undefined) {
    throw new CommandError(
      'there is no PocketIC server: name its executable with POCKET_IC_BIN, or one that runs with --pocket-ic-url URL',
    );
  }
  if (!existsSync(executable)) {
    throw new CommandError(`there is no PocketIC server ${executable}, which POCKET_IC_BIN names`);
  }
  return executable;
}

export interface PocketIcServer {
  url: string;
  /** What it says of itself; undefined where it says nothing. */
  version?: string;
  stop: () => void;
}

/** Starts the PocketIC server of {@link pocketIcExecutable}. */
export async function startPocketIc(): Promise<PocketIcServer> {
  const executable = pocketIcExecutable();
  const version = await versionOf(executable);
  const { pid, server } = await spawnServer(executable, ttlSeconds, 'pocket-ic.log');
  return {
    url: server,
    ...(version !== undefined && { version }),
    stop: () => {
      process.kill(pid);
    },
  };
}

async function versionOf(executable: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(...commandOf(executable, ['--version']));
    return stdout.trim().split('\n', 1)[0];
  } catch {
    return undefined;
  }
}
