import { encodeWithSelfDescribedTag } from '@dfinity/cbor';
import {
  certificate,
  domainSeparator,
  rootKey,
  type RangeForm,
  subnetKeysOf,
  utf8,
} from '../certification/index.js';
import { IcError, UserError } from '../errors.js';
import { principalFromText, principalToText, sameId } from '../principal.js';
import type { Subnet } from '../state/index.js';
import { HttpError } from './body.js';
import { readRequest, type Request } from './envelope.js';
import { cors, notFound, type Answer, type Exchange } from './exchange.js';
import type { Instance } from './instance.js';
import { hashOfMap, type Hashable } from './request-id.js';

/** How long a synchronous call waits for its answer. */
const SYNC_CALL_MS = 10_000;

const headers = {
  'content-type': 'application/cbor',
  ...cors,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** How an endpoint answers. */
interface Endpoint {
  /** Waits for the answer of a call. */
  readonly waits: boolean;
  readonly ranges: RangeForm;
}

/** The endpoints by version and operation. */
const endpoints: Readonly<Record<string, Endpoint>> = {
  'v2 call': { waits: false, ranges: 'list' },
  'v2 query': { waits: false, ranges: 'list' },
  'v2 read_state': { waits: false, ranges: 'list' },
  'v3 call': { waits: true, ranges: 'list' },
  'v3 query': { waits: false, ranges: 'shards' },
  'v3 read_state': { waits: false, ranges: 'shards' },
  'v4 call': { waits: true, ranges: 'shards' },
};

/** Where a request goes. */
interface Place extends Endpoint {
  readonly subnet: Subnet;
  readonly scope: 'canister' | 'subnet';
  /** The id in the address, for calls that concern a canister. */
  readonly canisterId?: Uint8Array;
}

/** Methods of the management canister that are called at a subnet. */
const subnetMethods: ReadonlySet<string> = new Set(['create_canister', 'list_canisters']);

/** Paths of one request at most. */
const MAX_PATHS = 1000;

/**
 * The replica's own interface, `/api/v2/…` to `/api/v4/…` (IC interface specification, "HTTPS
 * interface"). `path` starts at `/api`.
 */
export async function handleApi(
  instance: Instance,
  exchange: Exchange,
  path: string,
): Promise<Answer> {
  if (path === '/api/v2/status') return status(instance);
  const match = /^\/api\/(v[234])\/(canister|subnet)\/([a-z0-9-]+)\/(call|query|read_state)$/.exec(
    path,
  );
  const endpoint = match && endpoints[`${match[1]!} ${match[4]!}`];
  if (!match || !endpoint || exchange.method !== 'POST') return notFound;
  const [, version, scope, id, operation] = match;
  const principal = parsePrincipal(id!);
  const body = await exchange.body();
  try {
    if (scope === 'subnet') {
      if (version === 'v2' && operation !== 'read_state') return notFound;
      const place = { ...endpoint, subnet: subnetById(instance, principal), scope } as const;
      if (operation === 'read_state') return readState(instance, place, body);
      return operation === 'query'
        ? query(instance, place, body)
        : await call(instance, place, body);
    }
    const subnet = subnetOf(instance, principal);
    const place = { ...endpoint, subnet, scope: 'canister', canisterId: principal } as const;
    if (operation === 'query') return query(instance, place, body);
    if (operation === 'read_state') return readState(instance, place, body);
    return await call(instance, place, body);
  } catch (error) {
    if (error instanceof IcError) throw new HttpError(400, error.message);
    throw error;
  }
}

function status(instance: Instance): Answer {
  return cbor({
    root_key: rootKey(instance.ic.subnets),
    replica_health_status: 'healthy',
  });
}

async function call(instance: Instance, place: Place, body: Uint8Array): Promise<Answer> {
  const { subnet } = place;
  const request = readRequest(body, 'call', instance.ic.timeNs);
  const { canisterId, method, arg } = target(request);
  checkAddress(place, canisterId, method);
  const effectiveCanisterId = place.canisterId ?? new Uint8Array(0);
  try {
    instance.submit({
      sender: request.content.sender,
      canisterId,
      method,
      arg,
      messageId: request.id,
      expiry: request.content.ingress_expiry,
      ...(effectiveCanisterId.length > 0 && { effectiveCanisterId }),
      ...(place.scope === 'subnet' && { subnetId: subnet.id }),
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return cbor({ status: 'non_replicated_rejection', ...rejection(error) });
  }
  const answered =
    place.waits && instance.progress.enabled
      ? await instance.waitFor(request.id, SYNC_CALL_MS)
      : undefined;
  if (answered === undefined) return { status: 202, headers };
  return cbor({
    status: 'replied',
    certificate: certificate(
      instance.ic,
      subnet,
      [[utf8('request_status'), request.id]],
      place.ranges,
    ),
  });
}

/** Throws HttpError where a request's address does not fit what it calls. */
function checkAddress({ scope }: Place, canisterId: Uint8Array, method: string): void {
  if (scope === 'canister') return;
  if (canisterId.length > 0 || !subnetMethods.has(method)) {
    throw new HttpError(
      400,
      `At a subnet only the management canister's methods ${[...subnetMethods].join(' and ')} are called.`,
    );
  }
}

function query(instance: Instance, place: Place, body: Uint8Array): Answer {
  const { subnet } = place;
  const request = readRequest(body, 'query', instance.ic.timeNs);
  const { canisterId, method, arg } = target(request);
  checkAddress(place, canisterId, method);
  const effectiveCanisterId = place.canisterId ?? new Uint8Array(0);
  if (canisterId.length > 0 && !sameId(canisterId, effectiveCanisterId)) {
    throw new HttpError(400, 'Specified CanisterId does not match effective canister id in URL');
  }
  let answer: { status: string } & Record<string, Hashable>;
  try {
    const reply = instance.ic.query({
      sender: request.content.sender,
      canisterId,
      method,
      arg,
      effectiveCanisterId,
      ...(place.scope === 'subnet' && { subnetId: subnet.id }),
    });
    answer = { status: 'replied', reply: { arg: reply } };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    answer = { status: 'rejected', ...rejection(error) };
  }
  return cbor({ ...answer, signatures: [signAnswer(instance, subnet, request, answer)] });
}

/** A node's signature of a query's answer. */
function signAnswer(
  instance: Instance,
  subnet: Subnet,
  request: Request,
  answer: Record<string, Hashable>,
): { timestamp: bigint; signature: Uint8Array; identity: Uint8Array } {
  const timestamp = instance.ic.timeNs;
  const hash = hashOfMap({ ...answer, timestamp, request_id: request.id });
  const node = subnetKeysOf(subnet.id).nodes[0]!;
  const signature = node.sign(Buffer.concat([domainSeparator('ic-response'), hash]));
  return { timestamp, signature, identity: node.id };
}

function readState(instance: Instance, place: Place, body: Uint8Array): Answer {
  const { subnet } = place;
  const request = readRequest(body, 'read_state', instance.ic.timeNs);
  const { paths } = request.content;
  if (paths === undefined) throw new HttpError(400, 'read_state needs the field paths');
  if (paths.length > MAX_PATHS) {
    throw new HttpError(400, `${paths.length} paths: a request has at most ${MAX_PATHS}`);
  }
  for (const path of paths) checkPath(instance, place, path, request);
  return cbor({ certificate: certificate(instance.ic, subnet, paths, place.ranges) });
}

const openLabels = new Set(['time', 'subnet', 'api_boundary_nodes']);
const canisterLabels = new Set([
  'module_hash',
  'controllers',
  'metadata',
  'last_install_timestamp',
  'canister_creation_timestamp',
]);

/** Which paths may be read by whom. Throws HttpError. */
function checkPath(
  instance: Instance,
  { subnet, scope }: Place,
  path: readonly Uint8Array[],
  request: Request,
): void {
  const [first, second, third] = path;
  const label = first === undefined ? '' : Buffer.from(first).toString();
  if (openLabels.has(label)) return;
  if (label === 'canister_ranges' && scope === 'subnet') return;
  if (label === 'canister' && second !== undefined && third !== undefined) {
    const field = Buffer.from(third).toString();
    if (!canisterLabels.has(field)) throw invalidPath();
    if (field === 'metadata') checkMetadata(subnet, second, path[3], request);
    return;
  }
  if (label === 'request_status' && second?.length === 32) {
    const record = instance.ic.ingressRecord(second);
    if (record === undefined || sameId(record.sender, request.content.sender)) return;
    throw new HttpError(403, 'The user tries to access Request ID not signed by the caller.');
  }
  throw invalidPath();
}

/** Private metadata is for controllers. */
function checkMetadata(
  subnet: Subnet,
  canisterId: Uint8Array,
  name: Uint8Array | undefined,
  request: Request,
): void {
  const canister = subnet.canister(canisterId);
  if (canister === undefined || name === undefined) return;
  const section = canister.code?.module.customSections.find(
    (candidate) => candidate.name === Buffer.from(name).toString(),
  );
  if (section?.visibility !== 'private' || canister.isController(request.content.sender)) return;
  throw new HttpError(
    403,
    `Custom section ${section.name} can only be requested by the controllers of the canister.`,
  );
}

const invalidPath = (): HttpError => new HttpError(404, 'Invalid path requested.');

function target({ content }: Request): { canisterId: Uint8Array; method: string; arg: Uint8Array } {
  const { canister_id: canisterId, method_name: method, arg } = content;
  if (canisterId === undefined || method === undefined || arg === undefined) {
    throw new HttpError(400, 'the request needs the fields canister_id, method_name and arg');
  }
  return { canisterId, method, arg };
}

function rejection(error: UserError): {
  reject_code: number;
  reject_message: string;
  error_code: string;
} {
  return {
    reject_code: error.rejectCode,
    reject_message: error.message,
    error_code: error.codeText,
  };
}

/** Calls of `aaaaa-aa` without another canister go to the default subnet. */
function subnetOf(instance: Instance, id: Uint8Array): Subnet {
  if (id.length === 0) return instance.defaultSubnet();
  const subnet = instance.ic.subnetOf(id);
  if (subnet !== undefined) return subnet;
  throw new HttpError(
    400,
    `canister_not_found: the canister ${principalToText(id)} belongs to no subnet`,
  );
}

function subnetById(instance: Instance, id: Uint8Array): Subnet {
  const subnet = instance.ic.subnets.find((candidate) => sameId(candidate.id, id));
  if (subnet !== undefined) return subnet;
  throw new HttpError(400, `subnet_not_found: there is no subnet ${principalToText(id)}`);
}

function parsePrincipal(id: string): Uint8Array {
  try {
    return principalFromText(id);
  } catch (error) {
    throw new HttpError(400, error instanceof Error ? error.message : String(error));
  }
}

function cbor(value: object): Answer {
  return { status: 200, headers, body: encodeWithSelfDescribedTag(value) };
}
