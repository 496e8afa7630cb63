/**
 * Every method of every canister, who may call it, and how long its argument may be. The canisters' checks,
 * `docs/methods.md` and the test of both are made from these tables.
 */

/** What a caller of the coordinator may do; each may do what the ones before it may. */
export const roles = ['stranger', 'caller', 'operator', 'owner'] as const;
export type Role = (typeof roles)[number];

export type MethodKind = 'update' | 'query' | 'composite_query';

export interface CoordinatorMethod {
  kind: MethodKind;
  /** The least role that may call it; `stranger`: everybody; `itself`: nobody but the coordinator. */
  role: Role | 'itself';
  /** Longest argument in bytes. */
  argumentBytes: number;
}

/** What the Internet Computer takes from outside. */
const wholeMessage = 2 * 1024 * 1024;
/** Some numbers, or a model's name. */
const small = 1024;
/** The longest plan: more text takes more instructions than a message has. */
const planMessage = 512 * 1024;
/** A request to a web server: its headers, and a body that nobody reads. */
const webRequest = 64 * 1024;
/** The longest lists of {@link maxListedCallers} principals with quotas. */
const access = 256 * 1024;

/** Most bytes of a model's name in UTF-8. */
export const maxModelNameBytes = 256;
/** Most callers that are named, and most owners and operators each. */
export const maxListedCallers = 1000;
export const maxListedOwners = 100;

export const coordinatorMethods = {
  register_model: {
    kind: 'update',
    role: 'operator',
    argumentBytes: planMessage,
  },
  unregister_model: {
    kind: 'update',
    role: 'operator',
    argumentBytes: small,
  },
  plan: {
    kind: 'query',
    role: 'operator',
    argumentBytes: small,
  },
  models: {
    kind: 'query',
    role: 'caller',
    argumentBytes: small,
  },
  infer: {
    kind: 'update',
    role: 'caller',
    argumentBytes: wholeMessage,
  },
  submit: {
    kind: 'update',
    role: 'caller',
    argumentBytes: wholeMessage,
  },
  fetch: {
    kind: 'composite_query',
    role: 'stranger',
    argumentBytes: small,
  },
  fetch_update: {
    kind: 'update',
    role: 'stranger',
    argumentBytes: small,
  },
  release: {
    kind: 'update',
    role: 'stranger',
    argumentBytes: small,
  },
  cancel: {
    kind: 'update',
    role: 'caller',
    argumentBytes: small,
  },
  hand_over: {
    kind: 'update',
    role: 'itself',
    argumentBytes: small,
  },
  requests: {
    kind: 'query',
    role: 'stranger',
    argumentBytes: small,
  },
  metrics: {
    kind: 'query',
    role: 'operator',
    argumentBytes: small,
  },
  access: {
    kind: 'query',
    role: 'operator',
    argumentBytes: small,
  },
  set_access: {
    kind: 'update',
    role: 'owner',
    argumentBytes: access,
  },
  my_access: {
    kind: 'query',
    role: 'stranger',
    argumentBytes: small,
  },
  why_refused: {
    kind: 'query',
    role: 'stranger',
    argumentBytes: wholeMessage,
  },
  http_request: {
    kind: 'composite_query',
    role: 'stranger',
    argumentBytes: webRequest,
  },
} as const satisfies Record<string, CoordinatorMethod>;

/**
 * Who may call a method of a worker: its coordinator and its controllers, a worker of the same pipeline, or
 * the worker itself.
 */
export const WorkerCaller = { nobody: 0, coordinator: 1, worker: 2, self: 3 } as const;

export interface WorkerMethod {
  kind: MethodKind;
  caller: keyof typeof WorkerCaller;
  /** Longest argument from outside in bytes; `chunk`: a chunk of the shard and what stands before it. */
  argumentBytes: number | 'chunk';
}

/** Most bytes of a worker's configuration: it has the first page of stable memory, behind a header. */
export const maxConfigurationBytes = 65536 - 64;
/** Ids in one `release`, with the epoch. */
const idsBytes = 8 * 1024 + 8;

export const workerMethods = {
  configure: {
    kind: 'update',
    caller: 'coordinator',
    argumentBytes: maxConfigurationBytes,
  },
  put_chunk: {
    kind: 'update',
    caller: 'coordinator',
    argumentBytes: 'chunk',
  },
  load: {
    kind: 'update',
    caller: 'coordinator',
    argumentBytes: 0,
  },
  status: {
    kind: 'query',
    caller: 'coordinator',
    argumentBytes: 0,
  },
  chunks: {
    kind: 'query',
    caller: 'coordinator',
    argumentBytes: 0,
  },
  enqueue: {
    kind: 'update',
    caller: 'coordinator',
    argumentBytes: wholeMessage,
  },
  fetch: {
    kind: 'query',
    caller: 'coordinator',
    argumentBytes: 24,
  },
  held: {
    kind: 'query',
    caller: 'coordinator',
    argumentBytes: 8,
  },
  release: {
    kind: 'update',
    caller: 'coordinator',
    argumentBytes: idsBytes,
  },
  run: {
    kind: 'update',
    caller: 'worker',
    argumentBytes: 0,
  },
  done: {
    kind: 'update',
    caller: 'worker',
    argumentBytes: 0,
  },
  fail: {
    kind: 'update',
    caller: 'worker',
    argumentBytes: 0,
  },
  news: {
    kind: 'update',
    caller: 'worker',
    argumentBytes: 0,
  },
  step: { kind: 'update', caller: 'self', argumentBytes: 0 },
  wake: { kind: 'update', caller: 'self', argumentBytes: 0 },
} as const satisfies Record<string, WorkerMethod>;
