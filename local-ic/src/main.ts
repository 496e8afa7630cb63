import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { isProfileName, profileNames, type ProfileName } from './costs/index.js';
import { startLive, startServer, type RunningServer } from './http/index.js';

const usage = `local-ic: an Internet Computer embedded in Node

  local-ic --port-file FILE [--ttl SECONDS]   server with PocketIC's REST interface, for @dfinity/pic
  local-ic --live [--port N]                  one live network, for agents (a replica's URL)

  --port N            port to listen on (default: a free one; 4943 with --live)
  --host ADDRESS      address to listen on (default 127.0.0.1)
  --ttl SECONDS       end after so long without a request (default 60 with --port-file)
  --no-system-canisters   with --live: without cycles ledger, cycles minting canister and ICP ledger
  --costs NAME        profile: 2026-07 (default), 2025-10 or 2026-11
  --version, --help
`;

const portWithoutChoice = 4943;
const defaultTtl = 60;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'port-file': { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      ttl: { type: 'string' },
      costs: { type: 'string' },
      live: { type: 'boolean', default: false },
      'no-system-canisters': { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: false,
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  if (values.version) {
    process.stdout.write(`canopy local-ic ${version()}\n`);
    return;
  }
  const costs = readCosts(values.costs ?? process.env['LOCAL_IC_COSTS']);
  const port = readNumber('--port', values.port);
  const common = { costs, ...(values.host === undefined ? {} : { host: values.host }) };
  const portFile = values['port-file'];
  if (values.live || portFile === undefined) {
    const live = await startLive({
      ...common,
      port: port ?? portWithoutChoice,
      systemCanisters: !values['no-system-canisters'],
    });
    process.stdout.write(`local-ic: live network at ${live.url}\n`);
    endWhenTold(live, undefined);
    return;
  }
  rmSync(portFile, { force: true });
  const server = await startServer({
    ...common,
    port: port ?? 0,
    ttl: readNumber('--ttl', values.ttl) ?? defaultTtl,
    onExpired: () => {
      rmSync(portFile, { force: true });
      process.exit(0);
    },
  });
  writeFileSync(portFile, `${server.port}\n`);
  process.stdout.write(`local-ic: serving at ${server.url}\n`);
  endWhenTold(server, portFile);
}

/**
 * Ends when `launch.ts` says so. The port file goes with the server: a client that starts another one
 * waits for a new file.
 */
function endWhenTold(server: RunningServer, portFile: string | undefined): void {
  parentPort?.once('message', () => {
    if (portFile !== undefined) rmSync(portFile, { force: true });
    void server.stop().finally(() => process.exit(0));
  });
}

function readCosts(name = '2026-07'): ProfileName {
  if (isProfileName(name)) return name;
  throw new RangeError(`--costs ${name}: expected one of ${profileNames.join(', ')}`);
}

function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    throw new RangeError(`${option} ${text}: expected a whole number`);
  }
  return value;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `local-ic: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`,
  );
  process.exit(2);
}
