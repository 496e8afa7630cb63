import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError } from '../errors.js';
import { contentType } from './text.js';

/** Serves what `scrape` gives at `/metrics`; scrapes that come together share one. Resolves with its address. */
export async function serveMetrics(
  scrape: () => Promise<string>,
  { host, port }: { host: string; port: number },
): Promise<{ url: string; server: Server }> {
  let under: Promise<string> | undefined;
  const shared = (): Promise<string> =>
    (under ??= scrape().finally(() => {
      under = undefined;
    }));
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (request.method !== 'GET' || path !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    shared().then(
      (text) => response.writeHead(200, { 'content-type': contentType }).end(text),
      (error: unknown) =>
        response.writeHead(500, { 'content-type': 'text/plain' }).end(`${String(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new CommandError(`cannot listen on ${host}, port ${port}: ${error.message}`));
    });
    server.listen(port, host, resolve);
  });
  const { port: given } = server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${given}/metrics`, server };
}
