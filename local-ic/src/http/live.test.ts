import { Actor, AnonymousIdentity, CanisterStatus, HttpAgent } from '@dfinity/agent';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfAuthenticatingId } from '../certification/index.js';
import { encode } from '../management/candid/index.js';
import { installCodeArgs } from '../management/types.js';
import type { SubnetKind } from '../state/index.js';
import { hashOfMap, type Hashable } from './request-id.js';
import { startLive, type RunningServer } from './server.js';

const fixtures = new URL('../../fixtures/golden/', import.meta.url);
const greeter = new Uint8Array(readFileSync(new URL('modules/greeter.wasm', fixtures)));
const management = Principal.fromText('aaaaa-aa');

interface Greeter {
  greet: () => Promise<string>;
  count: () => Promise<bigint>;
  missing: () => Promise<void>;
  wrong: () => Promise<void>;
}
const greeterInterface: IDL.InterfaceFactory = ({ IDL: idl }) =>
  idl.Service({
    greet: idl.Func([], [idl.Text], []),
    count: idl.Func([], [idl.Nat], ['query']),
    missing: idl.Func([], [], []),
    wrong: idl.Func([], [], ['query']),
  });

async function deploy(agent: HttpAgent, effective: Principal): Promise<Principal> {
  const create = Actor.createActor<{
    provisional_create_canister_with_cycles: (arg: object) => Promise<{ canister_id: Principal }>;
  }>(
    ({ IDL: idl }) =>
      idl.Service({
        provisional_create_canister_with_cycles: idl.Func(
          [idl.Record({ amount: idl.Opt(idl.Nat) })],
          [idl.Record({ canister_id: idl.Principal })],
          [],
        ),
      }),
    { agent, canisterId: management, effectiveCanisterId: effective },
  );
  const { canister_id } = await create.provisional_create_canister_with_cycles({ amount: [] });
  const installation = await agent.call(management, {
    methodName: 'install_code',
    effectiveCanisterId: canister_id,
    arg: encode(installCodeArgs, {
      mode: { install: null },
      canister_id: canister_id.toUint8Array(),
      wasm_module: greeter,
      arg: new Uint8Array(),
      sender_canister_version: undefined,
    }),
  });
  expect(installation.response.status).toBe(200);
  return canister_id;
}

/** A canister id of the subnet that new canisters are made on. */
async function anywhere(live: RunningServer): Promise<Principal> {
  const topology = (await (await fetch(`${live.url}/_/topology`)).json()) as {
    default_effective_canister_id: { canister_id: string };
  };
  const { canister_id } = topology.default_effective_canister_id;
  return Principal.fromUint8Array(new Uint8Array(Buffer.from(canister_id, 'base64')));
}

describe.each<{ kinds: SubnetKind[] }>([
  { kinds: ['application'] },
  { kinds: ['nns', 'application'] },
])('the agent on a live network of $kinds', ({ kinds }) => {
  let live: RunningServer;
  let agent: HttpAgent;
  let id: Principal;
  let actor: Greeter;
  beforeAll(async () => {
    live = await startLive({ subnets: kinds.map((kind) => ({ kind })) });
    agent = await HttpAgent.create({ host: live.url, shouldFetchRootKey: true, retryTimes: 0 });
    id = await deploy(agent, await anywhere(live));
    actor = Actor.createActor<Greeter>(greeterInterface, { agent, canisterId: id });
  });
  afterAll(() => live.stop());

  test('verifies updates and queries', async () => {
    expect(await actor.greet()).toBe('hello');
    expect(await actor.count()).toBe(42n);
  });

  test('passes on rejects with the replica’s texts', async () => {
    await expect(actor.missing()).rejects.toThrow("Canister has no update method 'missing'");
    await expect(actor.wrong()).rejects.toThrow("Canister has no query method 'wrong'");
  });

  test('reads certified state', async () => {
    const status = await CanisterStatus.request({
      agent,
      canisterId: id,
      paths: ['time', 'controllers', 'module_hash', 'subnet'],
    });
    expect(status.get('controllers')).toEqual([Principal.anonymous()]);
    expect(status.get('module_hash')).toHaveLength(64);
    const time = status.get('time') as Date;
    expect(Math.abs(time.getTime() - Date.now())).toBeLessThan(60_000);
  });
});

describe('a live network', () => {
  let live: RunningServer;
  let id: Principal;
  beforeAll(async () => {
    live = await startLive({ costs: '2025-10' });
    const agent = await HttpAgent.create({
      host: live.url,
      shouldFetchRootKey: true,
      identity: new AnonymousIdentity(),
    });
    id = await deploy(agent, management);
  });
  afterAll(() => live.stop());

  /** fetch() does not let one choose the host name. */
  function get(
    host: string,
    path = '/',
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    return new Promise((resolve, reject) => {
      const { port } = new URL(live.url);
      httpRequest({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          });
        });
      })
        .on('error', reject)
        .end();
    });
  }

  const pages = JSON.parse(readFileSync(new URL('rest/pages.json', fixtures), 'utf8')) as Record<
    string,
    { status: number; headers: Record<string, string>; body: string }
  >;
  const differs = new Set(['x-request-id', 'content-length', 'x-ic-canister-id']);

  test.each([
    ['canister by subdomain', () => get(`${id.toText()}.localhost`)],
    ['canister by query parameter', () => get('localhost', `/?canisterId=${id.toText()}`)],
    ['raw subdomain', () => get(`${id.toText()}.raw.localhost`)],
    ['unknown canister', () => get('aaaaa-aa.localhost')],
    ['no canister', () => get('localhost')],
  ])('%s is answered as by the HTTP gateway', async (name, ask) => {
    const recorded = pages[name]!;
    const { status, headers, body } = await ask();
    expect(status).toBe(recorded.status);
    for (const [header, value] of Object.entries(recorded.headers)) {
      if (!differs.has(header)) expect(headers[header]).toBe(value);
    }
    if (!recorded.body.startsWith('(')) expect(body).toBe(recorded.body);
  });

  const expiry = (): bigint => BigInt(Date.now() + 240_000) * 1_000_000n;

  async function send(content: Record<string, Hashable>, more: object): Promise<Response> {
    const { encodeWithSelfDescribedTag } = await import('@dfinity/cbor');
    return fetch(`${live.url}/api/v2/canister/${id.toText()}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/cbor' },
      body: Buffer.from(encodeWithSelfDescribedTag({ content, ...more })),
    });
  }

  function contentOf(sender: Uint8Array): Record<string, Hashable> {
    return {
      request_type: 'query',
      sender,
      canister_id: id.toUint8Array(),
      method_name: 'count',
      arg: new Uint8Array(Buffer.from('4449444c0000', 'hex')),
      ingress_expiry: expiry(),
    };
  }

  const der = (key: KeyObject): Uint8Array =>
    new Uint8Array(key.export({ format: 'der', type: 'spki' }));
  const requestDomain = Buffer.from('\x0aic-request');

  test.each(['ed25519', 'P-256', 'secp256k1'] as const)(
    'takes requests signed by %s',
    async (curve) => {
      const { publicKey, privateKey } =
        curve === 'ed25519'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('ec', { namedCurve: curve });
      const content = contentOf(selfAuthenticatingId(der(publicKey)));
      const message = Buffer.concat([requestDomain, hashOfMap(content)]);
      const signature =
        curve === 'ed25519'
          ? sign(null, message, privateKey)
          : sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      const proof = { sender_pubkey: der(publicKey), sender_sig: new Uint8Array(signature) };
      expect((await send(content, proof)).status).toBe(200);

      const forged = await send({ ...content, method_name: 'greet' }, proof);
      expect(forged.status).toBe(403);
      expect(await forged.text()).toContain('Invalid signature');
    },
  );

  test('refuses requests without a signature, and old ones', async () => {
    const unsigned = await send(contentOf(new Uint8Array(29).fill(7)), {});
    expect(unsigned.status).toBe(403);
    const late = await send({ ...contentOf(Uint8Array.of(4)), ingress_expiry: 1_000n }, {});
    expect(late.status).toBe(400);
    expect(await late.text()).toMatch(/^Invalid request expiry: /);
  });

  test('answers nonsense with 4xx and stays alive', async () => {
    const url = `${live.url}/api/v2/canister/${id.toText()}/query`;
    for (const body of ['', 'text', '\xff\xff']) {
      const { status } = await fetch(url, { method: 'POST', body });
      expect(status).toBe(400);
    }
    expect(
      (await fetch(`${live.url}/api/v2/canister/not-a-principal/query`, { method: 'POST' })).status,
    ).toBe(400);
    expect((await fetch(`${live.url}/api/v2/status`)).status).toBe(200);
  });
});
