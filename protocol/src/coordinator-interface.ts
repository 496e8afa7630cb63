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
export interface ModelRecord<P = unknown> {
  name: string;
  workers: P[];
  plan: string;
}
/**
 * The number a caller gives a request, so that sending it again never runs it twice: see
 * `coordinator/coordinator.did`.
 */
export interface RequestNumber {
  /** Another for each request of the caller: 64 random bits. */
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

/** Methods of an actor made from {@link coordinatorIdl}. */
export interface CoordinatorActor<P = unknown> {
  register_model(model: { name: string; plan: string; workers: P[] }): Promise<Done>;
  unregister_model(name: string): Promise<Done>;
  models(): Promise<ModelRecord<P>[]>;
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
  requests(limit: number): Promise<RequestRecord<P>[]>;
  metrics(): Promise<{
    requests: bigint;
    failed: bigint;
    micro_batches: bigint;
    worker_instructions: bigint;
    in_flight: number;
  }>;
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
    ticket: IDL.Nat64,
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
  const model = IDL.Record({ name: IDL.Text, workers: IDL.Vec(IDL.Principal), plan: IDL.Text });
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
  return IDL.Service({
    register_model: IDL.Func([registration], [done], []),
    unregister_model: IDL.Func([IDL.Text], [done], []),
    models: IDL.Func([], [IDL.Vec(model)], ['query']),
    infer: IDL.Func(
      [IDL.Text, blob, number],
      [IDL.Variant({ ok: inference, ticket: IDL.Nat64, err: error })],
      [],
    ),
    submit: IDL.Func([IDL.Text, blob, number], [IDL.Variant({ ok: IDL.Nat64, err: error })], []),
    fetch: IDL.Func([IDL.Nat64, IDL.Nat32], [fetched], ['composite_query']),
    fetch_update: IDL.Func([IDL.Nat64, IDL.Nat32], [fetched], []),
    release: IDL.Func([IDL.Nat64], [done], []),
    cancel: IDL.Func([IDL.Nat64], [done], []),
    hand_over: IDL.Func([], [], []),
    requests: IDL.Func([IDL.Nat32], [IDL.Vec(request)], ['query']),
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
  });
}
