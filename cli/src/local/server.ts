import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, open, mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Principal } from '@dfinity/principal';
import { CommandError } from '../errors.js';
import { canopyFolder, type LocalIc } from './state.js';

/** Seconds without a request after which the local IC ends; it is meant to be stopped. */
const ttlSeconds = 30 * 24 * 60 * 60;
const startTimeoutMs = 30_000;

export interface StartOptions {
  /** Port for agents; any free one where it is left out. */
  port?: number;
  /** Whether there are a cycles ledger, a cycles minting canister and an ICP ledger; yes unless given. */
  systemCanisters?: boolean;
}

/** The server to start: the one `POCKET_IC_BIN` names, or the embedded IC. */
export function localExecutable(): string {
  const named = process.env['POCKET_IC_BIN'];
  return named !== undefined && named !== ''
    ? resolve(named)
    : fileURLToPath(new URL('../bin/local-ic.js', import.meta.resolve('@canopy/local-ic')));
}

/**
 * Starts a server that speaks PocketIC's REST interface in the background, and in it an IC with one
 * application subnet that runs by itself and is reached like a replica.
 */
export async function startLocalIc(options: StartOptions): Promise<LocalIc> {
  const executable = localExecutable();
  const { pid, server } = await spawnServer(executable, ttlSeconds, 'local.log');
  try {
    const instance = await createInstance(server, options.systemCanisters ?? true);
    await post(`${server}/instances/${instance.id}/auto_progress`, { artificial_delay_ms: 0 });
    const gateway = (await post(`${server}/http_gateway`, {
      forward_to: { PocketIcInstance: instance.id },
      ...(options.port !== undefined && { port: options.port }),
    })) as { Created?: { port: number }; Error?: { message: string } };
    if (!gateway.Created) throw new CommandError(`no HTTP gateway: ${JSON.stringify(gateway)}`);
    const url = `http://127.0.0.1:${gateway.Created.port}`;
    const { effectiveCanisterId } = instance;
    return { pid, instance: randomUUID(), server, url, effectiveCanisterId, executable };
  } catch (error) {
    process.kill(pid);
    throw error;
  }
}

/** Arguments of `spawn` for an executable, which may be a script of Node. */
export function commandOf(executable: string, args: readonly string[]): [string, string[]] {
  return executable.endsWith('.js')
    ? [process.execPath, [executable, ...args]]
    : [executable, [...args]];
}

/**
 * Starts a server that speaks PocketIC's REST interface and ends after `ttl` seconds without a request.
 * Gives its process and address. Throws {@link CommandError} where it does not start.
 */
export async function spawnServer(
  executable: string,
  ttl: number,
  logName: string,
): Promise<{ pid: number; server: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'canopy-'));
  const portFile = join(folder, 'port');
  await mkdir(canopyFolder, { recursive: true });
  const logPath = join(canopyFolder, logName);
  const log = await open(logPath, 'w');
  const [command, args] = commandOf(executable, ['--port-file', portFile, '--ttl', String(ttl)]);
  const child = spawn(command, args, { detached: true, stdio: ['ignore', log.fd, log.fd] });
  const ended = new Promise<string>((resolveEnd) => {
    child.once('error', (error) => {
      resolveEnd(error.message);
    });
    child.once('exit', (code) => {
      resolveEnd(`it ended with exit code ${String(code)}`);
    });
  });
  try {
    const port = await Promise.race([
      waitForPort(portFile),
      ended.then((reason) => {
        throw new CommandError(`${executable} does not start: ${reason}; see ${logPath}`);
      }),
    ]);
    child.unref();
    return { pid: child.pid!, server: `http://127.0.0.1:${port}` };
  } finally {
    await log.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function waitForPort(portFile: string): Promise<number> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline) {
    const port = Number.parseInt(await readFile(portFile, 'utf8').catch(() => ''), 10);
    if (port > 0) return port;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  throw new CommandError(`the server did not report its port within ${startTimeoutMs / 1000} s`);
}

interface CreatedInstance {
  instance_id: number;
  topology: { default_effective_canister_id: { canister_id: string } };
}

const defaultConfig = 'DefaultConfig';

/** What a request for an IC with system canisters holds besides: which ones, and their subnets. */
const withSystemCanisters = {
  subnets: {
    nns: { state_config: 'New', instruction_config: 'Production' },
    ii: { state_config: 'New', instruction_config: 'Production' },
  },
  features: {
    icp_features: {
      cycles_minting: defaultConfig,
      icp_token: defaultConfig,
      cycles_token: defaultConfig,
    },
  },
};

async function createInstance(
  server: string,
  systemCanisters: boolean,
): Promise<{ id: number; effectiveCanisterId: string }> {
  const refused = (answer: string): never => {
    const hint = systemCanisters ? '; --no-system-canisters asks for one without ledgers' : '';
    throw new CommandError(`the server created no IC: ${answer}${hint}`);
  };
  const request = {
    ...(systemCanisters && withSystemCanisters.features),
    subnet_config_set: {
      ...(systemCanisters && withSystemCanisters.subnets),
      system: [],
      application: [{ state_config: 'New', instruction_config: 'Production' }],
      verified_application: [],
      cloud_engine: [],
    },
  };
  const created = (await post(`${server}/instances`, request).catch((error: unknown) =>
    refused(error instanceof Error ? error.message : String(error)),
  )) as { Created?: CreatedInstance };
  if (!created.Created) return refused(JSON.stringify(created));
  const { instance_id: id, topology } = created.Created;
  const idBytes = Buffer.from(topology.default_effective_canister_id.canister_id, 'base64');
  return { id, effectiveCanisterId: Principal.fromUint8Array(Uint8Array.from(idBytes)).toText() };
}

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new CommandError(`${url} answers ${response.status}: ${text}`);
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}
