import { decode as decodeCbor } from '@dfinity/cbor';
import { createHash } from 'node:crypto';
import { lookup, rootHash, utf8, type HashTree } from '../certification/index.js';
import { UserError } from '../errors.js';
import {
  blob,
  bool,
  CandidError,
  decode,
  encode,
  nat16,
  opt,
  record,
  text as candidText,
  vec,
  type ValueOf,
} from '../management/candid/index.js';
import { ANONYMOUS, principalFromText, principalToText } from '../principal.js';
import type { Answer, Exchange } from './exchange.js';
import type { Instance } from './instance.js';

/** How long a page that needs an update call takes at most. */
const UPDATE_MS = 30_000;

const header = record({ 0: candidText, 1: candidText });
const httpRequest = record({
  method: candidText,
  url: candidText,
  headers: vec(header),
  body: blob,
  certificate_version: opt(nat16),
});
const httpResponse = record({
  status_code: nat16,
  headers: vec(header),
  body: blob,
  upgrade: opt(bool),
});
type Page = ValueOf<typeof httpResponse>;

/** Which canister's page a request asks for, by host name or by the parameter `canisterId`. */
export function pageTarget(
  exchange: Exchange,
): { canisterId: Uint8Array; raw: boolean } | undefined {
  const labels = (exchange.request.headers.host ?? '').replace(/:\d+$/, '').split('.');
  const raw = labels[1] === 'raw';
  for (const name of [exchange.query.get('canisterId'), labels[0]]) {
    if (!name?.includes('-')) continue;
    try {
      return { canisterId: principalFromText(name), raw };
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * A page of a canister, from its `http_request`. Unless the host name says `raw`, the page must be
 * certified: its certificate must be about the canister's certified data and its tree must hold the
 * page's path.
 */
export async function servePage(
  instance: Instance,
  exchange: Exchange,
  { canisterId, raw }: { canisterId: Uint8Array; raw: boolean },
): Promise<Answer> {
  const id = principalToText(canisterId);
  if (!instance.ic.canisterExists(canisterId)) {
    return errorPage(404, 'aaaaa-aa', 'Canister not found', `There is no canister ${id} here.`);
  }
  let page: Page;
  try {
    page = await fetchPage(instance, exchange, canisterId);
  } catch (error) {
    if (!(error instanceof UserError || error instanceof CandidError)) throw error;
    return errorPage(503, id, 'The canister gave no page', error.message);
  }
  if (!raw) {
    const flaw = certificationFlaw(page, exchange, canisterId);
    if (flaw !== undefined) return errorPage(503, id, 'The page is not certified', flaw);
  }
  const headers: Record<string, string> = {};
  for (const { 0: name, 1: value } of page.headers) headers[name.toLowerCase()] = value;
  return {
    status: page.status_code,
    headers: { ...headers, 'x-ic-canister-id': id },
    body: page.body,
  };
}

async function fetchPage(
  instance: Instance,
  exchange: Exchange,
  canisterId: Uint8Array,
): Promise<Page> {
  const { request } = exchange;
  const arg = encode(httpRequest, {
    method: exchange.method,
    url: request.url ?? '/',
    headers: Object.entries(request.headers).map(([name, value]) => ({
      0: name,
      1: Array.isArray(value) ? value.join(', ') : (value ?? ''),
    })),
    body: await exchange.body(),
    certificate_version: 2,
  });
  const call = { sender: ANONYMOUS, canisterId, arg };
  const page = decode(httpResponse, instance.ic.query({ ...call, method: 'http_request' }));
  if (page.upgrade !== true) return page;
  const messageId = instance.submit({ ...call, method: 'http_request_update' });
  const answered = await instance.waitFor(messageId, UPDATE_MS);
  if (answered?.status === 'rejected') throw answered.error;
  if (answered === undefined) throw new CandidError('http_request_update did not answer in time');
  return decode(httpResponse, answered.reply);
}

/** What is wrong with a page's certification; undefined when it is in order. */
function certificationFlaw(
  page: Page,
  exchange: Exchange,
  canisterId: Uint8Array,
): string | undefined {
  const value = page.headers.find(({ 0: name }) => name.toLowerCase() === 'ic-certificate')?.[1];
  if (value === undefined) {
    return 'The header IC-Certificate is missing. Certify the page, or ask for it under the name raw.';
  }
  const parts = new Map<string, Uint8Array>();
  for (const [, name, encoded] of value.matchAll(/(\w+)=:([^:]*):/g)) {
    parts.set(name!, new Uint8Array(Buffer.from(encoded!, 'base64')));
  }
  const certificate = parts.get('certificate');
  const treeBytes = parts.get('tree');
  if (!certificate || !treeBytes) return 'The header IC-Certificate lacks certificate or tree.';
  try {
    const { tree: state } = decodeCbor<{ tree: HashTree }>(certificate);
    const certified = lookup(state, [utf8('canister'), canisterId, utf8('certified_data')]);
    const tree = decodeCbor<HashTree>(treeBytes);
    if (!certified || Buffer.compare(certified, rootHash(tree)) !== 0) {
      return 'The tree in IC-Certificate does not have the hash of the certified data.';
    }
    const path = parts.get('expr_path');
    return path === undefined
      ? assetFlaw(tree, exchange.path, page.body)
      : pathFlaw(tree, decodeCbor<string[]>(path));
  } catch (error) {
    return `The header IC-Certificate cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Version 1: the tree holds the hash of the body by its path. */
function assetFlaw(tree: HashTree, path: string, body: Uint8Array): string | undefined {
  const expected = [path, '/index.html']
    .map((name) => lookup(tree, [utf8('http_assets'), utf8(name)]))
    .find((hash) => hash !== undefined);
  const actual = createHash('sha256').update(body).digest();
  if (expected && Buffer.compare(expected, actual) === 0) return undefined;
  return `The tree in IC-Certificate does not hold the hash of ${path}.`;
}

/** Version 2: the tree holds the expression's path. */
function pathFlaw(tree: HashTree, path: readonly string[]): string | undefined {
  let level: HashTree | undefined = tree;
  for (const label of path) level = level && child(level, utf8(label));
  return level === undefined
    ? `The tree in IC-Certificate does not hold the path ${path.join('/')}.`
    : undefined;
}

function child(tree: HashTree, label: Uint8Array): HashTree | undefined {
  if (tree[0] === 1) return child(tree[1], label) ?? child(tree[2], label);
  return tree[0] === 2 && Buffer.compare(tree[1], label) === 0 ? tree[2] : undefined;
}

function errorPage(status: number, id: string, title: string, text: string): Answer {
  const escaped = text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'x-ic-canister-id': id },
    body: `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>\n<body><h1>${title}</h1><p>${escaped}</p></body></html>\n`,
  };
}
