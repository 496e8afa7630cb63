import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { subnetKeys } from '../certification/index.js';
import { decodeGeneric, encode } from '../management/candid/index.js';
import { installCodeArgs, uploadChunkArgs } from '../management/types.js';
import { principalToText } from '../principal.js';
import { parseJson, stringifyJson, type Json, type JsonNode } from './json.js';
import { startServer, type RunningServer } from './server.js';

const fixtures = new URL('../../fixtures/golden/', import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, fixtures));

interface Recorded {
  readonly step?: string;
  readonly request?: {
    readonly method: string;
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: unknown;
  };
  readonly response?: {
    readonly status: number;
    readonly headers: Record<string, string>;
    readonly body: unknown;
  };
}

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ costs: '2025-10' });
});
afterAll(() => server.stop());

/** Large integers keep their digits, so nothing is rounded on the way. */
const steps = plain(parseJson(read('rest/pocketic.json').toString())) as Recorded[];

function plain(node: JsonNode): unknown {
  if (node.kind === 'array') return (node.value as JsonNode[]).map(plain);
  if (node.kind === 'object') {
    return Object.fromEntries(
      [...(node.value as Map<string, JsonNode>)].map(([name, value]) => [name, plain(value)]),
    );
  }
  return typeof node.value === 'bigint' && Number.isSafeInteger(Number(node.value))
    ? Number(node.value)
    : node.value;
}

/** Ids and keys of the recording, in base64 or as text, and ours. */
const ours = new Map<string, string>();
const recordedSubnets = [
  'qxw6a-xchhl-fytzl-qfagk-kuv6t-ye6xf-box4s-fiqod-vn2ex-qkp3q-5ae',
  'j3hn4-tfek2-2dzwi-2fiwt-yl43g-lljef-o5tyt-oi44t-pnvrw-tbquz-bae',
  'cok7q-nnbiu-4xwf6-7gpqg-kwzft-mqypn-uepxh-mx2hy-q4wuy-5s5my-eae',
];
recordedSubnets.forEach((id, number) => {
  ours.set(id, principalToText(subnetKeys(number).id));
});
ours.set('RzrLieVwKAylUr6eCeuULr8kVEHDq3RLwU/cOgI=', base64(subnetKeys(0).id));

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function translate(value: unknown): unknown {
  if (typeof value === 'string') return ours.get(value) ?? value;
  if (Array.isArray(value)) return value.map(translate);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [ours.get(name) ?? name, translate(inner)]),
  );
}

const canister = (number: number): Uint8Array =>
  new Uint8Array(Buffer.from(`ffffffffffe0000${number}0101`, 'hex'));

/** Bodies that the recording gives by their hash only. */
function restore(body: Record<string, unknown>): unknown {
  const payload = body['payload'];
  if (typeof payload !== 'object' || payload === null) return body;
  if (body['method'] === 'install_code') {
    const wasm_module = new Uint8Array(read('modules/scripted.wasm'));
    return {
      ...body,
      payload: base64(
        encode(installCodeArgs, {
          mode: { install: null },
          canister_id: canister(1),
          wasm_module,
          arg: new Uint8Array(),
          sender_canister_version: undefined,
        }),
      ),
    };
  }
  const chunk = chunks.get((payload as { $string_length: number }).$string_length);
  return {
    ...body,
    payload: base64(encode(uploadChunkArgs, { canister_id: canister(2), chunk: chunk! })),
  };
}

/** Stand-ins for the three chunks of a large module: the first is the greeter, the others empty. */
const chunks = new Map<number, Uint8Array>([
  [1_333_384, new Uint8Array(read('modules/greeter.wasm'))],
  [400_544, new Uint8Array(8)],
]);

function toJson(value: unknown): Json {
  return value as Json;
}

async function send(request: NonNullable<Recorded['request']>): Promise<Response> {
  const { method, path, headers } = request;
  if (method === 'GET' || method === 'DELETE') return fetch(server.url + path, { method, headers });
  const body = request.body as Record<string, unknown> | string;
  let bytes: string | Buffer<ArrayBuffer>;
  if (typeof body === 'string') bytes = body;
  else if ('$base64_length' in body) bytes = Buffer.alloc(65_536, 7);
  else bytes = stringifyJson(toJson(translate(restore(body))));
  return fetch(server.url + path, { method, headers, body: bytes });
}

/** Steps that depend on what is not recorded: the bytes of the large module, a busy server. */
function isComparable(step: Recorded, title: string): boolean {
  return (
    step.response!.status !== 409 && !title.includes('over 2 MiB') && !title.startsWith('agent on')
  );
}

const differences: string[] = [];

function compareBody(title: string, recorded: unknown, text: string): void {
  if (typeof recorded === 'string') {
    if (text !== recorded) differences.push(`${title}: body ${text} instead of ${recorded}`);
    return;
  }
  if (recorded !== null && typeof recorded === 'object' && '$base64' in recorded) return;
  const expected = translate(recorded);
  const actual = plain(parseJson(text));
  if (sameJson(expected, actual)) return;
  differences.push(
    `${title}: ${text.slice(0, 600)} instead of ${stringifyJson(toJson(expected)).slice(0, 600)}`,
  );
}

const freeText = new Set(['subnet_seed', 'message_id', 'port']);

function sameJson(expected: unknown, actual: unknown, name = ''): boolean {
  if (freeText.has(name)) return actual !== undefined;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length === 133 && actual.length === 133) return true;
    return (
      expected.length === actual.length && expected.every((item, i) => sameJson(item, actual[i]))
    );
  }
  if (typeof expected === 'object' && expected !== null) {
    if ('$sha256' in expected) {
      return createHash('sha256').update(String(actual)).digest('hex') === expected.$sha256;
    }
    if (typeof actual !== 'object' || actual === null) return false;
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...names].every((key) =>
      sameJson(
        (expected as Record<string, unknown>)[key],
        (actual as Record<string, unknown>)[key],
        key,
      ),
    );
  }
  if (expected === actual) return true;
  // The recording rounded integers above 2^53.
  if (typeof expected === 'bigint' && typeof actual === 'bigint') {
    return Number(expected) === Number(actual);
  }
  return name === 'Ok' && sameCandid(expected, actual);
}

function sameCandid(expected: unknown, actual: unknown): boolean {
  const values = [expected, actual].map((text) =>
    decodeGeneric(new Uint8Array(Buffer.from(String(text), 'base64'))),
  );
  try {
    expect(values[1]).toEqual(values[0]);
    return true;
  } catch (error) {
    differences.push(error instanceof Error ? error.message : '');
    return false;
  }
}

test('answers as recorded between @dfinity/pic and the PocketIC server', async () => {
  let title = '';
  for (const step of steps) {
    if (step.step !== undefined) title = step.step;
    if (!step.request || !step.response) continue;
    const response = await send(step.request);
    const text = await response.text();
    learnMessageId(step.response.body, text);
    if (!isComparable(step, title)) continue;
    if (response.status !== step.response.status) {
      differences.push(
        `${title}: status ${response.status} instead of ${step.response.status}: ${text.slice(0, 300)}`,
      );
      continue;
    }
    for (const [name, value] of Object.entries(step.response.headers)) {
      const actual = response.headers.get(name);
      if (actual !== value)
        differences.push(`${title}: header ${name} ${actual} instead of ${value}`);
    }
    compareBody(title, step.response.body, text);
  }
  expect(differences).toEqual([]);
});

function learnMessageId(recorded: unknown, text: string): void {
  const theirs = (recorded as { Ok?: { message_id?: string } } | null)?.Ok?.message_id;
  if (theirs === undefined) return;
  ours.set(theirs, (JSON.parse(text) as { Ok: { message_id: string } }).Ok.message_id);
}
