import { httpTransport, type AgentTransport } from '@canopy/client';
import { Principal } from '@dfinity/principal';
import { CommandError, UsageError } from './errors.js';
import { isRunning, readLocalIc } from './local/state.js';

export interface Connection {
  transport: AgentTransport;
  host: string;
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

/** The replica a URL names, or the local IC. Throws {@link CommandError} where there is none. */
export async function connect(replica: string | undefined): Promise<Connection> {
  const local = await readLocalIc();
  if (local && (replica === undefined || replica === local.url)) {
    if (await isRunning(local)) {
      const { url: host, effectiveCanisterId } = local;
      return { transport: await httpTransport({ host, effectiveCanisterId }), host };
    }
    if (replica === undefined) {
      throw new CommandError(
        'the local IC does not run any more: start one with "canopy local start" and deploy again',
      );
    }
  }
  if (replica === undefined) {
    throw new CommandError(
      'no local IC runs here: start one with "canopy local start", or name a replica with --replica URL',
    );
  }
  if (!URL.canParse(replica)) {
    throw new UsageError(`"${replica}" is no URL: write it like http://127.0.0.1:4943`);
  }
  const effectiveCanisterId = await effectiveCanisterIdOf(replica);
  const options = {
    host: replica,
    ...(effectiveCanisterId !== undefined && { effectiveCanisterId }),
  };
  return { transport: await httpTransport(options), host: replica };
}
