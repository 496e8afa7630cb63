import {
  httpTransport,
  loadIdentity,
  type AgentTransport,
  type Deployment,
  type IdentityLike,
} from '@canopy/client';
import { Principal } from '@dfinity/principal';
import { CommandError, UsageError } from './errors.js';
import { isRunning, readLocalIc, type LocalIc } from './local/state.js';
import { cannotConnect } from './reach.js';

/** Milliseconds in which a host that takes connections must answer as a replica. */
const answerTimeoutMs = 30_000;

/** Which IC is asked, and as whom; flags of every command that asks one. */
export interface ConnectFlags {
  /** `local`, `ic`, or the address of a network; the local IC where it is left out. */
  network?: string;
  /** Address of a replica; the same as an address in `network`. */
  replica?: string;
  /** File of a PEM key; anonymous where it is left out. */
  identity?: string;
}

export interface Connection {
  transport: AgentTransport;
  host: string;
  /** Name of this run of the local IC. */
  instance?: string;
}

/**
 * A canister id of the subnet on which canisters are created, of a network that tells it as PocketIC and
 * the embedded IC do; undefined of others, such as mainnet.
 */
async function effectiveCanisterIdOf(host: string): Promise<string | undefined> {
  try {
    const response = await fetch(new URL('/_/topology', host), {
      redirect: 'error',
      signal: AbortSignal.timeout(5000),
    });
    const topology = (await response.json()) as {
      default_effective_canister_id: { canister_id: string };
    };
    const bytes = Buffer.from(topology.default_effective_canister_id.canister_id, 'base64');
    return Principal.fromUint8Array(new Uint8Array(bytes)).toText();
  } catch {
    return undefined;
  }
}

/** Where the Internet Computer's mainnet is reached. */
export const mainnetAddress = 'https://icp-api.io';

/** Address of the network that flags name; undefined for the local IC. */
export function addressOf({ network, replica }: ConnectFlags): string | undefined {
  if (network === undefined) return replica;
  if (replica !== undefined)
    throw new UsageError('--replica and --network name the same: give one');
  if (network === 'local') return undefined;
  return network === 'ic' ? mainnetAddress : network;
}

/** Throws {@link UsageError} where a text is no address of a replica. */
export function checkAddress(replica: string): void {
  const protocol = URL.canParse(replica) ? new URL(replica).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new UsageError(
      `"${replica}" is no URL: write it like http://127.0.0.1:4943, or "ic" or "local" after --network`,
    );
  }
}

async function openTransport(
  host: string,
  effectiveCanisterId: string | undefined,
  identity: IdentityLike | undefined,
): Promise<AgentTransport> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const seconds = answerTimeoutMs / 1000;
      reject(new CommandError(`${host} does not answer as a replica within ${seconds} s`));
    }, answerTimeoutMs);
  });
  try {
    const options = {
      host,
      ...(effectiveCanisterId !== undefined && { effectiveCanisterId }),
      ...(identity && { identity }),
    };
    return await Promise.race([httpTransport(options), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function connectToLocal(
  local: LocalIc,
  identity: IdentityLike | undefined,
): Promise<Connection> {
  const { url: host, effectiveCanisterId, instance } = local;
  const transport = await openTransport(host, effectiveCanisterId, identity);
  return { transport, host, ...(instance !== undefined && { instance }) };
}

/** The replica a URL names, or the local IC. Throws {@link CommandError} where there is none. */
export async function connect(flags: ConnectFlags): Promise<Connection> {
  const { identity: key } = flags;
  const replica = addressOf(flags);
  if (replica !== undefined) checkAddress(replica);
  const identity = key === undefined ? undefined : await loadIdentity(key);
  const local = await readLocalIc();
  if (local && (replica === undefined || replica === local.url)) {
    if (await isRunning(local)) return connectToLocal(local, identity);
    if (replica === undefined) {
      throw new CommandError(
        'the local IC does not run any more: start one with "canopy local start" and deploy again',
      );
    }
  }
  if (replica === undefined) {
    throw new CommandError(
      'no local IC runs here: start one with "canopy local start", or name a network with --network URL, or ic',
    );
  }
  const reason = await cannotConnect(replica);
  if (reason !== undefined) {
    const advice =
      local?.url === replica
        ? 'the local IC was stopped, and what was deployed there is gone: "canopy local start", then deploy again'
        : 'does it run? --network URL names another';
    throw new CommandError(`${replica} does not answer (${reason}): ${advice}`);
  }
  const canisterId = await effectiveCanisterIdOf(replica);
  return { transport: await openTransport(replica, canisterId, identity), host: replica };
}

/**
 * The IC that a deployment is on. Throws {@link CommandError} where another answers at its address now.
 */
export async function connectToDeployment(
  deployment: Deployment,
  flags: ConnectFlags,
): Promise<Connection> {
  const address = addressOf(flags) ?? deployment.host;
  const { identity } = flags;
  const connection = await connect({
    ...(address !== undefined && { network: address }),
    ...(identity !== undefined && { identity }),
  });
  const differs = (noted: string | undefined, now: string | undefined): boolean =>
    noted !== undefined && now !== undefined && noted !== now;
  const { transport, instance, host } = connection;
  if (differs(deployment.instance, instance) || differs(deployment.rootKey, transport.rootKey())) {
    throw new CommandError(
      `"${deployment.model}" was deployed on another Internet Computer than the one that runs at ${host} now: ` +
        'deploy it again',
    );
  }
  return connection;
}
