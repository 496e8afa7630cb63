import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  coordinatorIdl,
  type CoordinatorActor,
  type CoordinatorErrorRecord,
  type Done,
  type FetchResult,
} from '@canopy/protocol';
import { CanopyError, toCanopyError, type CanopyErrorCode } from './errors.js';
import type { Transport } from './transport/transport.js';

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
  async infer(model: string, inputs: Uint8Array): Promise<InferReply> {
    const reply = await this.call('infer', [model, inputs]);
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

  async submit(model: string, inputs: Uint8Array): Promise<bigint> {
    const reply = await this.call('submit', [model, inputs]);
    if ('err' in reply) throw unwrapError(reply.err);
    return reply.ok;
  }

  /** @param certified as an update call, agreed by consensus, instead of a query */
  async fetch(
    ticket: bigint,
    offset: number,
    certified: boolean,
  ): Promise<Exclude<FetchResult, { err: unknown }>> {
    const reply = await this.call(certified ? 'fetch_update' : 'fetch', [ticket, offset]);
    if ('err' in reply) throw unwrapError(reply.err);
    return reply;
  }

  async release(ticket: bigint): Promise<void> {
    unwrapDone(await this.call('release', [ticket]));
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
  ): Promise<Awaited<ReturnType<Actor[Name]>>> {
    const method = methods[name];
    const kind = method.annotations.length > 0 ? 'query' : 'update';
    try {
      const arg = IDL.encode(method.argTypes, args);
      const reply = await this.transport[kind](this.canister, name, arg);
      return IDL.decode(method.retTypes, reply)[0] as unknown as Awaited<ReturnType<Actor[Name]>>;
    } catch (error) {
      throw toCanopyError(error, `coordinator ${this.canister}, ${name}`);
    }
  }
}
