/** What agents of each release make of answers that are not as they should be. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpAgent as AgentOf3, IC_ROOT_KEY } from '@dfinity/agent';
import { HttpAgent as AgentOf5 } from '@icp-sdk/core/agent';
import { HttpAgent as AgentOf6 } from 'icp-sdk-core-6/agent';
import { afterEach, describe, expect, test } from 'vitest';
import { toCanopyError } from '../errors.js';
import { toHex } from '../sha256.js';
import { AgentTransport, httpTransport } from './agent.js';
import type { AgentLike } from './agent-shape.js';
import { isLocalAgent, isLocalNetwork, isLoopback, mainnetRootKey } from './network.js';

const canister = 'rwlgt-iiaaa-aaaaa-aaaaa-cai';
const none = new Uint8Array();
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A host that answers everything with a status. */
async function answering(status: number): Promise<string> {
  server = createServer((_, response) => response.writeHead(status).end('no'));
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const quick = { retryTimes: 0, verifyQuerySignatures: false, shouldSyncTime: false };
describe.each([
  ['@dfinity/agent 3', (host: string): AgentLike => AgentOf3.createSync({ host, ...quick })],
  ['@icp-sdk/core 5', (host: string): AgentLike => AgentOf5.createSync({ host, ...quick })],
  ['@icp-sdk/core 6', (host: string): AgentLike => AgentOf6.createSync({ host, ...quick })],
])('an agent of %s', (_, create) => {
  test.each([
    [503, 'unreachable', true],
    [429, 'unreachable', true],
    [400, 'rejected', false],
    [403, 'rejected', false],
  ])('that gets HTTP status %i', async (status, code, retryable) => {
    const transport = new AgentTransport(create(await answering(status)));
    for (const kind of ['update', 'query'] as const) {
      const error: unknown = await transport[kind](canister, 'm', none).catch(
        (one: unknown) => one,
      );
      expect(toCanopyError(error, 'm')).toMatchObject({ code, retryable });
    }
  });

  test('that reaches nobody', async () => {
    const host = await answering(200);
    server!.closeAllConnections();
    await new Promise((resolve) => server!.close(resolve));
    const transport = new AgentTransport(create(host));
    const error: unknown = await transport.update(canister, 'm', none).catch((one: unknown) => one);
    expect(toCanopyError(error, 'm')).toMatchObject({ code: 'unreachable', retryable: true });
  });

  test('is on a network of its own by its host, or by its root key', async () => {
    expect(await isLocalAgent(create('http://127.0.0.1:1'))).toBe(true);
    const mainnet = create('https://icp-api.io');
    expect(await isLocalAgent(mainnet)).toBe(false);
    expect(await isLocalAgent(Object.assign(mainnet, { rootKey: mainnetRootKey.slice(1) }))).toBe(
      true,
    );
  });
});

test('the root key of mainnet is the one that agents know', () => {
  expect(toHex(mainnetRootKey)).toBe(IC_ROOT_KEY);
});

test.each([
  ['http://127.0.0.1:4943', true],
  ['http://localhost:8000', true],
  ['http://abc.localhost', true],
  ['http://[::1]:80', true],
  ['https://icp-api.io', false],
  ['http://127.0.0.1.example.com', false],
  ['http://10.0.0.1', false],
])('%s names this machine: %s', async (url, expected) => {
  expect(isLoopback(url)).toBe(expected);
  if (expected) expect(await isLocalNetwork(url)).toBe(true);
});

test('a host that is no replica is named', async () => {
  const host = await answering(404);
  await expect(httpTransport({ host })).rejects.toMatchObject({ code: 'unreachable' });
  await expect(httpTransport({ host })).rejects.toThrow(`${host} does not answer as a replica`);
});
