import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  coordinatorIdl,
  type CoordinatorActor,
  type CoordinatorErrorRecord,
  type DTypeName,
  type Done,
  type FetchResult,
  type ModelInterface,
  type ModelPage,
  type ModelRecord,
  type QuotaRecord,
  type RequestNumber,
  type Role,
  type TensorRecord,
  type TensorSpec,
} from '@canopy/protocol';
import { unlessAborted } from './abort.js';
import {
  CanopyError,
  firstLine,
  isRefusal,
  toCanopyError,
  type CanopyErrorCode,
} from './errors.js';
import type { CallOptions, Transport } from './transport/transport.js';

type MethodName = keyof CoordinatorActor;
type Actor = CoordinatorActor<Principal>;

const service = coordinatorIdl({ IDL }) as { _fields: [MethodName, IDL.FuncClass][] };
const methods = Object.fromEntries(service._fields) as Record<MethodName, IDL.FuncClass>;

function unwrapError(error: CoordinatorErrorRecord): CanopyError {
  return new CanopyError(error.code as CanopyErrorCode, error.message, error.retryable);
}

function unwrapDone(done: Done): void {
  if ('err' in done) throw unwrapError(done.err);
}

/** What one stage did for a request. */
export interface StageDetail {
  /** Canister id; `unknown` of a ticket's result where a model has several pipelines. */
  worker: string;
  instructions: bigint;
  messages: number;
  bytesReceived: bigint;
  bytesSent: bigint;
  /** Most heap the activations of one micro-batch took at once. */
  scratchBytes: number;
}

export type InferReply =
  | { kind: 'done'; outputs: Uint8Array; microBatches: number; stages: StageDetail[] }
  | { kind: 'ticket'; ticket: bigint };

/** A model as the coordinator shows it to callers. */
export interface KnownModel extends ModelInterface {
  name: string;
  /** Tells this deployment from others: see `deploymentFingerprint` of `@canopy/protocol`. */
  deployment: bigint;
  /** Why it cannot be asked; undefined where it can. */
  problem: string | undefined;
}

/** A model as the coordinator shows it to operators. */
export interface RegisteredModel {
  /** Canister ids of all stages in order. */
  workers: string[];
  /** The plan as JSON. */
  plan: string;
}

/** Requests and instructions a caller may take in a day (UTC); as many as it wants where nothing is said. */
export interface Quota {
  requestsADay?: bigint;
  instructionsADay?: bigint;
}

/** Who may do what at a coordinator. Principals are texts. */
export interface Access {
  /** Besides the coordinator's controllers. */
  owners: string[];
  /** May register models and see the log. */
  operators: string[];
  /** Everybody but the anonymous principal, or those listed. */
  callers: 'open' | { caller: string; quota?: Quota }[];
  /** Whether the anonymous principal may call, too. */
  anonymous: boolean;
  /** Of each caller that has none of its own. */
  quota: Quota;
}

/** What a caller may do. */
export interface OwnAccess {
  role: Role;
  quota: Quota;
  requestsToday: bigint;
  instructionsToday: bigint;
}

/** How a request is made. */
export interface AskOptions extends CallOptions {
  /** Under it the same request may be sent again, and never runs twice; see `coordinator.did`. */
  number?: RequestNumber;
}

function bytesOf(value: Uint8Array | number[]): Uint8Array {
  return value instanceof Uint8Array ? value : Uint8Array.from(value);
}

/**
 * The coordinator's methods with plain values: ids as text, errors thrown as {@link CanopyError}.
 * Nothing is retried here.
 */
export class CoordinatorClient {
  constructor(
    private readonly transport: Transport,
    /** Canister id. */
    readonly canister: string,
  ) {}

  async registerModel(name: string, plan: string, workers: readonly string[]): Promise<void> {
    const model = { name, plan, workers: workers.map((id) => Principal.fromText(id)) };
    unwrapDone(await this.call('register_model', [model]));
  }

  async unregisterModel(name: string): Promise<void> {
    unwrapDone(await this.call('unregister_model', [name]));
  }

  /** All models, by name. One that cannot be asked any more has no inputs and outputs. */
  async models(): Promise<KnownModel[]> {
    const all: KnownModel[] = [];
    for (let after: [] | [string] = []; ;) {
      const { models, next }: ModelPage = await this.call('models', [after]);
      all.push(...models.map(knownModel));
      if (next.length === 0) return all;
      after = next;
    }
  }

  /** A model's plan and workers; for operators. */
  async registration(name: string): Promise<RegisteredModel> {
    let text = '';
    for (let total = 1; text.length < total;) {
      const reply = await this.call('plan', [name, text.length]);
      if ('err' in reply) throw unwrapError(reply.err);
      ({ total } = reply.ok);
      if (reply.ok.text === '') throw badReply(`plan of "${name}"`, 'a part of it is empty');
      text += reply.ok.text;
    }
    try {
      const { workers, plan } = JSON.parse(text) as { workers: string[]; plan: object };
      return { workers, plan: JSON.stringify(plan) };
    } catch (error) {
      throw badReply(`plan of "${name}"`, firstLine(error));
    }
  }

  /** Who may do what; for operators. */
  async access(): Promise<Access> {
    const { owners, operators, callers, anonymous, quota } = await this.call('access', []);
    return {
      owners: owners.map((id) => id.toText()),
      operators: operators.map((id) => id.toText()),
      callers:
        'open' in callers
          ? 'open'
          : callers.list.map((one) => ({
              caller: one.caller.toText(),
              ...(one.quota[0] && { quota: quotaOf(one.quota[0]) }),
            })),
      anonymous,
      quota: quotaOf(quota),
    };
  }

  /** Says who may do what, all of it at once; for owners. */
  async setAccess({ owners, operators, callers, anonymous, quota }: Access): Promise<void> {
    const list =
      callers === 'open'
        ? { open: null }
        : {
            list: callers.map((one) => ({
              caller: Principal.fromText(one.caller),
              quota: one.quota ? [quotaRecord(one.quota)] : [],
            })),
          };
    const access = {
      owners: owners.map((id) => Principal.fromText(id)),
      operators: operators.map((id) => Principal.fromText(id)),
      callers: list,
      anonymous,
      quota: quotaRecord(quota),
    };
    unwrapDone(await this.call('set_access', [access]));
  }

  /** What the caller may do itself. */
  async myAccess(): Promise<OwnAccess> {
    const reply = await this.call('my_access', []);
    return {
      role: Object.keys(reply.role)[0] as Role,
      quota: quotaOf(reply.quota),
      requestsToday: reply.requests_today,
      instructionsToday: reply.instructions_today,
    };
  }

  /** @param inputs a tensor bundle */
  async infer(model: string, inputs: Uint8Array, options: AskOptions = {}): Promise<InferReply> {
    const reply = await this.call('infer', [model, inputs, numberOf(options)], options);
    if ('err' in reply) throw unwrapError(reply.err);
    if ('ticket' in reply) return { kind: 'ticket', ticket: reply.ticket };
    return {
      kind: 'done',
      outputs: bytesOf(reply.ok.outputs),
      microBatches: reply.ok.micro_batches,
      stages: reply.ok.stages.map((stage) => ({
        worker: stage.worker.toText(),
        instructions: stage.instructions,
        messages: stage.messages,
        bytesReceived: stage.bytes_received,
        bytesSent: stage.bytes_sent,
        scratchBytes: stage.scratch_bytes,
      })),
    };
  }

  async submit(model: string, inputs: Uint8Array, options: AskOptions = {}): Promise<bigint> {
    const reply = await this.call('submit', [model, inputs, numberOf(options)], options);
    if ('err' in reply) throw unwrapError(reply.err);
    return reply.ok;
  }

  /** @param certified as an update call, agreed by consensus, instead of a query */
  async fetch(
    ticket: bigint,
    offset: number,
    certified: boolean,
    options: CallOptions = {},
  ): Promise<Exclude<FetchResult, { err: unknown }>> {
    const reply = await this.call(certified ? 'fetch_update' : 'fetch', [ticket, offset], options);
    if ('err' in reply) throw unwrapError(reply.err);
    return reply;
  }

  async release(ticket: bigint): Promise<void> {
    unwrapDone(await this.call('release', [ticket]));
  }

  /** {@link release} by the number of a request, whose ticket need not be known. */
  async cancel(id: bigint): Promise<void> {
    unwrapDone(await this.call('cancel', [id]));
  }

  /** The latest requests, newest first. */
  requests(limit: number): ReturnType<Actor['requests']> {
    return this.call('requests', [limit, []]);
  }

  metrics(): ReturnType<Actor['metrics']> {
    return this.call('metrics', []);
  }

  private async call<Name extends MethodName>(
    name: Name,
    args: unknown[],
    options: CallOptions = {},
  ): Promise<Awaited<ReturnType<Actor[Name]>>> {
    const method = methods[name];
    const kind = method.annotations.length > 0 ? 'query' : 'update';
    const what = `coordinator ${this.canister}, ${name}`;
    const arg = IDL.encode(method.argTypes, args);
    let reply: Uint8Array;
    try {
      const call = this.transport[kind](this.canister, name, arg, options);
      reply = await unlessAborted(call, options.signal);
    } catch (error) {
      throw isRefusal(error) ? await this.whyRefused(name, arg, error) : toCanopyError(error, what);
    }
    try {
      return IDL.decode(method.retTypes, reply)[0] as unknown as Awaited<ReturnType<Actor[Name]>>;
    } catch (error) {
      throw new CanopyError(
        'bad-reply',
        `${what}: the answer is not the Candid of this method (${firstLine(error)}): is it a coordinator, ` +
          'and of this release?',
        false,
        { cause: error },
      );
    }
  }

  /** The replica does not say why a canister does not take a message; the canister does. */
  private async whyRefused(
    name: MethodName,
    arg: Uint8Array,
    refusal: unknown,
  ): Promise<CanopyError> {
    const answer = await this.call('why_refused', [name, arg]);
    if ('err' in answer) return unwrapError(answer.err);
    return new CanopyError(
      'rejected',
      `coordinator ${this.canister}, ${name}: the message was not taken, and would be now: try again`,
      true,
      { cause: refusal },
    );
  }
}

function badReply(what: string, reason: string): CanopyError {
  return new CanopyError('bad-reply', `${what}: ${reason}`);
}

function knownModel(model: ModelRecord): KnownModel {
  return {
    name: model.name,
    inputs: model.inputs.map(tensorSpec),
    outputs: model.outputs.map(tensorSpec),
    rowsIndependent: model.rows_independent,
    microBatchRows: model.micro_batch_rows,
    results: model.results,
    stageCount: model.stages,
    instructionsPerRow: Number(model.instructions_per_row),
    deployment: model.deployment,
    problem: model.problem[0],
  };
}

function tensorSpec({ name, dtype, dims }: TensorRecord): TensorSpec {
  return {
    name,
    dtype: dtype as DTypeName,
    dims: dims.map((dim) => ('size' in dim ? dim.size : dim.open)),
  };
}

function quotaOf({
  requests_a_day: [requests],
  instructions_a_day: [instructions],
}: QuotaRecord): Quota {
  return {
    ...(requests !== undefined && { requestsADay: requests }),
    ...(instructions !== undefined && { instructionsADay: instructions }),
  };
}

function quotaRecord({ requestsADay, instructionsADay }: Quota): QuotaRecord {
  return {
    requests_a_day: requestsADay === undefined ? [] : [requestsADay],
    instructions_a_day: instructionsADay === undefined ? [] : [instructionsADay],
  };
}

function numberOf({ number }: AskOptions): [] | [RequestNumber] {
  return number === undefined ? [] : [{ deadline_seconds: [], ...number }];
}
