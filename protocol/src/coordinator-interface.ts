/** TypeScript face of `coordinator/coordinator.did`. Principals are objects of the agent's class. */

export interface CoordinatorErrorRecord {
  code: string;
  message: string;
  retryable: boolean;
}
export interface StageRecord<P = unknown> {
  worker: P;
  instructions: bigint;
  messages: number;
  bytes_received: bigint;
  bytes_sent: bigint;
  scratch_bytes: number;
}
export interface InferenceRecord<P = unknown> {
  outputs: Uint8Array | number[];
  micro_batches: number;
  stages: StageRecord<P>[];
}
export interface RequestRecord<P = unknown> {
  ticket: bigint;
  model: string;
  caller: P;
  received_at_ns: bigint;
  finished_at_ns: [] | [bigint];
  micro_batches: number;
  bytes_received: bigint;
  bytes_sent: bigint;
  stages: StageRecord<P>[];
  error: [] | [CoordinatorErrorRecord];
}
/** An input or output of a model; an open dimension has a name. */
export interface TensorRecord {
  name: string;
  dtype: string;
  dims: ({ size: number } | { open: string })[];
}
/** What is needed to call a model. */
export interface ModelRecord {
  name: string;
  inputs: TensorRecord[];
  outputs: TensorRecord[];
  rows_independent: boolean;
  micro_batch_rows: number;
  results: string[];
  stages: number;
  instructions_per_row: bigint;
  input_bytes: number;
  deployment: bigint;
  problem: [] | [string];
}
export interface ModelPage {
  models: ModelRecord[];
  next: [] | [string];
}
/** Requests and instructions of a caller in a day (UTC); none: as many as it wants. */
export interface QuotaRecord {
  requests_a_day: [] | [bigint];
  instructions_a_day: [] | [bigint];
}
export interface AccessRecord<P = unknown> {
  owners: P[];
  operators: P[];
  callers: { open: null } | { list: { caller: P; quota: [] | [QuotaRecord] }[] };
  anonymous: boolean;
  quota: QuotaRecord;
}
export type RoleRecord =
  { owner: null } | { operator: null } | { caller: null } | { stranger: null };
export interface MyAccessRecord {
  role: RoleRecord;
  quota: QuotaRecord;
  requests_today: bigint;
  instructions_today: bigint;
}
/**
 * The number a caller gives a request, so that sending it again never runs it twice: see
 * `coordinator/coordinator.did`.
 */
export interface RequestNumber {
  /** Another for each request of the caller: 64 random bits, of anonymous callers at least 2^32. */
  id: bigint;
  /** Of the model's name and the inputs; a request of the same number with another is refused. */
  digest: bigint;
  /** Seconds after which the workers give the request up, at least 1; none: as they are configured. */
  deadline_seconds?: [] | [number];
}
export type Done = { ok: null } | { err: CoordinatorErrorRecord };
export type FetchResult =
  | { pending: { done: number; total: number } }
  | { part: { bytes: Uint8Array | number[]; total: number } }
  | { err: CoordinatorErrorRecord };

/** What an HTTP gateway asks for, as far as it is read, and what it is answered. */
export interface HttpRequestRecord {
  method: string;
  url: string;
  headers: [string, string][];
  body: Uint8Array | number[];
}
export interface HttpResponseRecord {
  status_code: number;
  headers: [string, string][];
  body: Uint8Array | number[];
}

/** Methods of an actor made from {@link coordinatorIdl}. */
export interface CoordinatorActor<P = unknown> {
  register_model(model: { name: string; plan: string; workers: P[] }): Promise<Done>;
  unregister_model(name: string): Promise<Done>;
  plan(
    name: string,
    offset: number,
  ): Promise<{ ok: { text: string; total: number } } | { err: CoordinatorErrorRecord }>;
  models(after: [] | [string]): Promise<ModelPage>;
  infer(
    model: string,
    inputs: Uint8Array,
    number: [] | [RequestNumber],
  ): Promise<{ ok: InferenceRecord<P> } | { ticket: bigint } | { err: CoordinatorErrorRecord }>;
  submit(
    model: string,
    inputs: Uint8Array,
    number: [] | [RequestNumber],
  ): Promise<{ ok: bigint } | { err: CoordinatorErrorRecord }>;
  fetch(ticket: bigint, offset: number): Promise<FetchResult>;
  fetch_update(ticket: bigint, offset: number): Promise<FetchResult>;
  release(ticket: bigint): Promise<Done>;
  cancel(id: bigint): Promise<Done>;
  /** The coordinator calls it itself; nobody else may. */
  hand_over(): Promise<undefined>;
  requests(limit: number, before: [] | [bigint]): Promise<RequestRecord<P>[]>;
  metrics(): Promise<{
    requests: bigint;
    failed: bigint;
    micro_batches: bigint;
    worker_instructions: bigint;
    in_flight: number;
  }>;
  access(): Promise<AccessRecord<P>>;
  set_access(access: AccessRecord<P>): Promise<Done>;
  my_access(): Promise<MyAccessRecord>;
  why_refused(method: string, argument: Uint8Array): Promise<Done>;
  http_request(request: HttpRequestRecord): Promise<HttpResponseRecord>;
}

/** The part of a Candid `IDL` namespace that {@link coordinatorIdl} needs; any agent's version fits. */
export interface IdlNamespace {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each Candid library has its own classes
  readonly [name: string]: any;
}

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call */
/** The coordinator's Candid service, in the form that actor factories take. */
export function coordinatorIdl({ IDL }: { IDL: IdlNamespace }): any {
  const error = IDL.Record({ code: IDL.Text, message: IDL.Text, retryable: IDL.Bool });
  const done = IDL.Variant({ ok: IDL.Null, err: error });
  const blob = IDL.Vec(IDL.Nat8);
  const stage = IDL.Record({
    worker: IDL.Principal,
    instructions: IDL.Nat64,
    messages: IDL.Nat32,
    bytes_received: IDL.Nat64,
    bytes_sent: IDL.Nat64,
    scratch_bytes: IDL.Nat32,
  });
  const inference = IDL.Record({
    outputs: blob,
    micro_batches: IDL.Nat32,
    stages: IDL.Vec(stage),
  });
  const request = IDL.Record({
    ticket: IDL.Nat,
    model: IDL.Text,
    caller: IDL.Principal,
    received_at_ns: IDL.Nat64,
    finished_at_ns: IDL.Opt(IDL.Nat64),
    micro_batches: IDL.Nat32,
    bytes_received: IDL.Nat64,
    bytes_sent: IDL.Nat64,
    stages: IDL.Vec(stage),
    error: IDL.Opt(error),
  });
  const tensor = IDL.Record({
    name: IDL.Text,
    dtype: IDL.Text,
    dims: IDL.Vec(IDL.Variant({ size: IDL.Nat32, open: IDL.Text })),
  });
  const model = IDL.Record({
    name: IDL.Text,
    inputs: IDL.Vec(tensor),
    outputs: IDL.Vec(tensor),
    rows_independent: IDL.Bool,
    micro_batch_rows: IDL.Nat32,
    results: IDL.Vec(IDL.Text),
    stages: IDL.Nat32,
    instructions_per_row: IDL.Nat64,
    input_bytes: IDL.Nat32,
    deployment: IDL.Nat64,
    problem: IDL.Opt(IDL.Text),
  });
  const quota = IDL.Record({
    requests_a_day: IDL.Opt(IDL.Nat64),
    instructions_a_day: IDL.Opt(IDL.Nat64),
  });
  const listed = IDL.Record({ caller: IDL.Principal, quota: IDL.Opt(quota) });
  const access = IDL.Record({
    owners: IDL.Vec(IDL.Principal),
    operators: IDL.Vec(IDL.Principal),
    callers: IDL.Variant({ open: IDL.Null, list: IDL.Vec(listed) }),
    anonymous: IDL.Bool,
    quota,
  });
  const role = IDL.Variant({
    owner: IDL.Null,
    operator: IDL.Null,
    caller: IDL.Null,
    stranger: IDL.Null,
  });
  const myAccess = IDL.Record({
    role,
    quota,
    requests_today: IDL.Nat64,
    instructions_today: IDL.Nat64,
  });
  const planPart = IDL.Variant({
    ok: IDL.Record({ text: IDL.Text, total: IDL.Nat32 }),
    err: error,
  });
  const registration = IDL.Record({
    name: IDL.Text,
    plan: IDL.Text,
    workers: IDL.Vec(IDL.Principal),
  });
  const fetched = IDL.Variant({
    pending: IDL.Record({ done: IDL.Nat32, total: IDL.Nat32 }),
    part: IDL.Record({ bytes: blob, total: IDL.Nat32 }),
    err: error,
  });
  const number = IDL.Opt(
    IDL.Record({ id: IDL.Nat64, digest: IDL.Nat64, deadline_seconds: IDL.Opt(IDL.Nat32) }),
  );
  const headers = IDL.Vec(IDL.Tuple(IDL.Text, IDL.Text));
  const httpRequest = IDL.Record({ method: IDL.Text, url: IDL.Text, headers, body: blob });
  const httpResponse = IDL.Record({ status_code: IDL.Nat16, headers, body: blob });
  return IDL.Service({
    register_model: IDL.Func([registration], [done], []),
    unregister_model: IDL.Func([IDL.Text], [done], []),
    plan: IDL.Func([IDL.Text, IDL.Nat32], [planPart], ['query']),
    models: IDL.Func(
      [IDL.Opt(IDL.Text)],
      [IDL.Record({ models: IDL.Vec(model), next: IDL.Opt(IDL.Text) })],
      ['query'],
    ),
    infer: IDL.Func(
      [IDL.Text, blob, number],
      [IDL.Variant({ ok: inference, ticket: IDL.Nat, err: error })],
      [],
    ),
    submit: IDL.Func([IDL.Text, blob, number], [IDL.Variant({ ok: IDL.Nat, err: error })], []),
    fetch: IDL.Func([IDL.Nat, IDL.Nat32], [fetched], ['composite_query']),
    fetch_update: IDL.Func([IDL.Nat, IDL.Nat32], [fetched], []),
    release: IDL.Func([IDL.Nat], [done], []),
    cancel: IDL.Func([IDL.Nat64], [done], []),
    hand_over: IDL.Func([], [], []),
    requests: IDL.Func([IDL.Nat32, IDL.Opt(IDL.Nat)], [IDL.Vec(request)], ['query']),
    metrics: IDL.Func(
      [],
      [
        IDL.Record({
          requests: IDL.Nat64,
          failed: IDL.Nat64,
          micro_batches: IDL.Nat64,
          worker_instructions: IDL.Nat64,
          in_flight: IDL.Nat32,
        }),
      ],
      ['query'],
    ),
    access: IDL.Func([], [access], ['query']),
    set_access: IDL.Func([access], [done], []),
    my_access: IDL.Func([], [myAccess], ['query']),
    why_refused: IDL.Func([IDL.Text, blob], [done], ['query']),
    http_request: IDL.Func([httpRequest], [httpResponse], ['composite_query']),
  });
}
