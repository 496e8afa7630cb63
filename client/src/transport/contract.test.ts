/** What every transport must do, run against each of them on the embedded IC. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PocketIc } from '@dfinity/pic';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import wabt from 'wabt';
import { startServer, type RunningServer } from '@canopy/local-ic/http';
import { HttpAgent as AgentOf3 } from '@dfinity/agent';
import { HttpAgent as AgentOf5 } from '@icp-sdk/core/agent';
import { HttpAgent as AgentOf6 } from 'icp-sdk-core-6/agent';
import { identityFromPem } from '../identity/identity.js';
import { AgentTransport, httpTransport, type AgentTransportOptions } from './agent.js';
import type { AgentLike, IdentityLike } from './agent-shape.js';
import { PocketIcTransport } from './pocket-ic.js';
import type { Transport } from './transport.js';

/** Echoes its argument, from memory that an upgrade clears; `refuse` rejects. */
const source = `(module
  (import "ic0" "msg_arg_data_size" (func $size (result i32)))
  (import "ic0" "msg_arg_data_copy" (func $copy (param i32 i32 i32)))
  (import "ic0" "msg_reply_data_append" (func $append (param i32 i32)))
  (import "ic0" "msg_reply" (func $reply))
  (import "ic0" "msg_reject" (func $reject (param i32 i32)))
  (memory 64)
  (data (i32.const 0) "[busy] later")
  (global $length (mut i32) (i32.const 0))
  (func (export "canister_update keep")
    (global.set $length (call $size))
    (call $copy (i32.const 64) (i32.const 0) (call $size))
    (call $answer))
  (func (export "canister_query kept") (call $answer))
  (func (export "canister_update refuse") (call $reject (i32.const 0) (i32.const 12)))
  (func (export "canister_query refuse_query") (call $reject (i32.const 0) (i32.const 12)))
  (func $answer
    (call $append (i32.const 64) (global.get $length))
    (call $reply))
)`;

/** The module with custom sections of so many bytes. */
async function echoModule(...padding: number[]): Promise<Uint8Array> {
  const parts = [(await wabt()).parseWat('echo.wat', source).toBinary({}).buffer];
  for (const [index, size] of padding.entries()) {
    const length: number[] = [];
    let rest = size + 2;
    for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
    parts.push(Uint8Array.of(0, ...length, rest, 1, 0x61 + index), new Uint8Array(size));
  }
  return Buffer.concat(parts);
}

let server: RunningServer;
let pic: PocketIc;
/** An Ed25519 key of 32 bytes of 1. */
const identity = identityFromPem(
  `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----`,
);
const anonymous = '2vxsx-fae';

async function live(): Promise<{ host: string } & AgentTransportOptions> {
  const host = `http://127.0.0.1:${await pic.makeLive()}`;
  const [subnet] = await pic.getApplicationSubnets();
  return { host, effectiveCanisterId: subnet!.canisterRanges[0]!.start.toText() };
}

/** A transport of somebody's own agent, of one release. */
type Agent = AgentLike & { fetchRootKey(): Promise<unknown> };
const of =
  (create: (options: { host: string; identity?: never }) => Agent, who?: IdentityLike) =>
  async (): Promise<Transport> => {
    const { host, ...options } = await live();
    const agent = create({ host, ...(who && { identity: who as never }) });
    await agent.fetchRootKey();
    return new AgentTransport(agent, options);
  };
const agents = {
  '@dfinity/agent 3': (options: object): Agent => AgentOf3.createSync(options),
  '@icp-sdk/core 5': (options: object): Agent => AgentOf5.createSync(options),
  '@icp-sdk/core 6': (options: object): Agent => AgentOf6.createSync(options),
};

/** Each transport, and who it calls as. */
const transports: Record<string, [() => Promise<Transport>, string]> = {
  PocketIcTransport: [() => Promise.resolve(new PocketIcTransport(pic)), anonymous],
  httpTransport: [async () => httpTransport(await live()), anonymous],
  'httpTransport with a key': [
    async () => httpTransport({ ...(await live()), identity }),
    identity.getPrincipal().toText(),
  ],
};
for (const [name, create] of Object.entries(agents)) {
  transports[name] = [of(create), anonymous];
  transports[`${name} with a key`] = [of(create, identity), identity.getPrincipal().toText()];
}

beforeAll(async () => {
  server = await startServer();
  // The limit ends a hang: a busy machine takes long for a round.
  pic = await PocketIc.create(server.url, { processingTimeoutMs: 300_000 });
});
afterAll(async () => {
  await pic.tearDown();
  await server.stop();
});

describe.each(Object.keys(transports))('%s', (name) => {
  let transport: Transport;
  let canister: string;
  const bytes = Uint8Array.of(1, 2, 3, 250);
  const none = new Uint8Array();

  beforeAll(async () => {
    transport = await transports[name]![0]();
    canister = await transport.createCanister({ cycles: 10n ** 13n });
    await transport.installCode({ canister, module: await echoModule(0), mode: 'install' });
  });

  test('says who it calls as', async () => {
    expect(await transport.principal()).toBe(transports[name]![1]);
    expect(await transport.isLocal!()).toBe(true);
  });

  test('calls updates and queries with raw bytes', async () => {
    expect(await transport.update(canister, 'keep', bytes)).toEqual(bytes);
    expect(await transport.query(canister, 'kept', none)).toEqual(bytes);
    const large = new Uint8Array(1_900_000).fill(7);
    const back = await transport.update(canister, 'keep', large);
    expect(Buffer.from(back).equals(large)).toBe(true);
  });

  test('makes updates without proof, where it can', async () => {
    if (!transport.updateUnproven) {
      expect(name).not.toContain('httpTransport');
      return;
    }
    const large = new Uint8Array(1_900_000).fill(9);
    await transport.updateUnproven(canister, 'keep', large);
    const back = await transport.query(canister, 'kept', none);
    expect(Buffer.from(back).equals(large)).toBe(true);
    await expect(transport.updateUnproven(canister, 'refuse', none)).rejects.toMatchObject({
      name: 'CallRejected',
      rejectCode: 4,
      message: '[busy] later',
    });
    await expect(transport.updateUnproven(canister, 'nothing', none)).rejects.toMatchObject({
      name: 'CallRejected',
      rejectCode: 5,
    });
  });

  test('throws rejections with their code and text', async () => {
    const rejected = { name: 'CallRejected', rejectCode: 4 };
    const update = transport.update(canister, 'refuse', none);
    await expect(update).rejects.toMatchObject({ ...rejected, message: '[busy] later' });
    const query = transport.query(canister, 'refuse_query', none);
    await expect(query).rejects.toMatchObject({ ...rejected, message: '[busy] later' });
    await expect(transport.update(canister, 'nothing', none)).rejects.toMatchObject({
      name: 'CallRejected',
      rejectCode: 5,
    });
  });

  test('installs where there is nothing, reinstalls, upgrades', async () => {
    const module = await echoModule(0);
    const attempt = transport.installCode({ canister, module, mode: 'install' });
    await expect(attempt).rejects.toMatchObject({ name: 'CallRejected' });
    for (const mode of ['upgrade', 'reinstall'] as const) {
      await transport.update(canister, 'keep', bytes);
      await transport.installCode({ canister, module, mode });
      expect(await transport.query(canister, 'kept', none)).toEqual(none);
    }
  });

  test('installs modules larger than a message', async () => {
    const other = await transport.createCanister({ cycles: 10n ** 13n });
    // A custom section holds at most 1 MiB.
    const module = await echoModule(900_000, 900_000, 400_000);
    expect(module.length).toBeGreaterThan(2 * 1024 * 1024);
    await transport.installCode({ canister: other, module, mode: 'install' });
    expect(await transport.update(other, 'keep', bytes)).toEqual(bytes);
  });
});

test('an update without proof that is not answered in the call is asked for', async () => {
  const { host, ...options } = await live();
  const asked: string[] = [];
  // A replica that takes a call and answers later.
  const gate = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const path = request.url!.replace('/api/v3/', '/api/v2/');
      asked.push(path.split('/').at(-1)!);
      const body = Buffer.concat(parts);
      const answer = await fetch(new URL(path, host), {
        method: request.method!,
        ...(body.length > 0 && { body }),
      });
      response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
    })();
  });
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = gate.address() as AddressInfo;
    const slow = await httpTransport({ ...options, host: `http://127.0.0.1:${port}`, identity });
    const canister = await slow.createCanister({ cycles: 10n ** 13n });
    await slow.installCode({ canister, module: await echoModule(0), mode: 'install' });
    asked.length = 0;
    await slow.updateUnproven!(canister, 'keep', Uint8Array.of(4, 2));
    expect([...new Set(asked)]).toEqual(['call', 'read_state']);
    expect(await slow.query(canister, 'kept', new Uint8Array())).toEqual(Uint8Array.of(4, 2));
    const refused = slow.updateUnproven!(canister, 'refuse', new Uint8Array());
    await expect(refused).rejects.toMatchObject({ name: 'CallRejected', rejectCode: 4 });
  } finally {
    gate.closeAllConnections();
    gate.close();
  }
});

test.each(Object.entries(agents))(
  'an update by an agent of %s is answered in the call: nothing is asked again',
  async (_, create) => {
    const { host, ...options } = await live();
    const asked: string[] = [];
    const counting = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      asked.push(
        String(input instanceof Request ? input.url : input)
          .split('/')
          .at(-1)!,
      );
      return fetch(input, init);
    };
    const agent = create({ host, fetch: counting });
    await agent.fetchRootKey();
    const transport = new AgentTransport(agent, options);
    const canister = await transport.createCanister({ cycles: 10n ** 13n });
    await transport.installCode({ canister, module: await echoModule(0), mode: 'install' });
    await transport.update(canister, 'keep', Uint8Array.of(1));
    asked.length = 0;
    await transport.update(canister, 'keep', Uint8Array.of(2));
    expect(asked).toEqual(['call']);
  },
);
