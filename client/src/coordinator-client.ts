import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  coordinatorIdl,
  type CoordinatorActor,
  type CoordinatorErrorRecord,
  type Done,
  type FetchResult,
  type RequestNumber,
} from '@canopy/protocol';
import { unlessAborted } from './abort.js';
import { CanopyError, firstLine, toCanopyError, type CanopyErrorCode } from './errors.js';
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

/** A model as the coordinator shows it. */
export interface RegisteredModel {
  name: string;
  /** Canister ids of all stages in order. */
  workers: string[];
  /** The plan as JSON. */
  plan: string;
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

  async models(): Promise<RegisteredModel[]> {
    const models = await this.call('models', []);
    return models.map(({ name, workers, plan }) => ({
      name,
      workers: workers.map((id) => id.toText()),
      plan,
    }));
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
    return this.call('requests', [limit]);
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
      throw toCanopyError(error, what);
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
}

function numberOf({ number }: AskOptions): [] | [RequestNumber] {
  return number === undefined ? [] : [{ deadline_seconds: [], ...number }];
}
