import { httpTransport, type Transport } from '@canopy/client';
import { CommandError } from './errors.js';
import { isRunning, readLocalIc } from './local/state.js';

export interface Connection {
  transport: Transport;
  host: string;
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
  return { transport: await httpTransport({ host: replica }), host: replica };
}
