import { createServer, type AddressInfo, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { cannotConnect, isOnThisMachine, whileReachable } from './reach.js';

async function listen(): Promise<{ server: Server; url: string }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test('a host that takes connections is there, whether or not it answers', async () => {
  const { server, url } = await listen();
  expect(await cannotConnect(url)).toBeUndefined();
  server.close();
});

test('why there is no connection is told', async () => {
  const { server, url } = await listen();
  await new Promise((resolve) => server.close(resolve));
  expect(await cannotConnect(url)).toBe('nothing listens there');
});

test('work is given up when its host is gone, and only then', async () => {
  const { server, url } = await listen();
  expect(await whileReachable(url, 'try later', Promise.resolve('done'))).toBe('done');
  const work = whileReachable(url, 'try later', new Promise<never>(() => undefined));
  server.close();
  await expect(work).rejects.toThrow(`${url} is gone: nothing listens there; try later`);
});

test.each([
  ['http://127.0.0.1:4943', true],
  ['http://localhost', true],
  ['http://abc.localhost:8000', true],
  ['http://[::1]:80', true],
  ['https://icp-api.io', false],
  ['http://localhost.example', false],
])('%s is on this machine: %s', (host, expected) => {
  expect(isOnThisMachine(host)).toBe(expected);
});
