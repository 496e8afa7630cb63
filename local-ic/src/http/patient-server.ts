import { createServer, type RequestListener, type Server } from 'node:http';

/** Longer than clients keep a connection: else one may write to a connection that is being closed. */
const keepAliveMs = 3_600_000;

/**
 * A server that closes no connection by the clock. It executes rounds on the thread that reads requests, so a
 * connection that it has accepted may wait for minutes until its request is read; Node's limits would take
 * that for a client that sends nothing.
 */
export function patientServer(listener: RequestListener): Server {
  const server = createServer(listener);
  server.keepAliveTimeout = keepAliveMs;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  return server;
}

/** Listens; port 0 takes a free one. */
export async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Closes a server with all its connections. */
export async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
