import { PocketIcServer } from '@dfinity/pic';
import { serverBinary } from './server-binary.js';

/** Seconds without a request after which a server ends; making a model can take a minute on a busy machine. */
const ttl = 1800;

/** Starts the server that tests run on. */
export function startServer(options: { showCanisterLogs?: boolean } = {}): Promise<PocketIcServer> {
  return PocketIcServer.start({ binPath: serverBinary().path, ttl, ...options });
}
