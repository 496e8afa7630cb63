import {
  decodeBundle,
  decodeResult,
  joinRows,
  parseCanisterError,
  type BundleTensor,
  type ModelInterface,
  type RequestNumber,
  type Result,
  type StageTrace,
} from '@canopy/protocol';
import { unlessAborted } from '../abort.js';
import type { CoordinatorClient, InferReply, StageDetail } from '../coordinator-client.js';
import { CanopyError, UnreachableError, toCanopyError } from '../errors.js';
import { retry, type RetryOptions } from '../retry.js';
import type { Transport } from '../transport/transport.js';
import { isLong } from './expected-rounds.js';
import { newNumber } from './request-number.js';

/** What came of one request. */
export interface RequestOutcome {
  outputs: BundleTensor[];
  microBatches: number;
  stages: StageDetail[];
  bytesReceived: number;
}

export interface RunTarget {
  transport: Transport;
  coordinator: CoordinatorClient;
  model: string;
  interface: ModelInterface;
  /** Of all pipelines, in order; none where they are not known. */
  workers: readonly string[];
  /** Fetch parts of large results by update calls, agreed by consensus, instead of queries. */
  certified: boolean;
  retry: RetryOptions;
  /** Ends the request, which is then cancelled. */
  signal: AbortSignal;
  /** When that is at the latest, in milliseconds since 1970; `Infinity`: no limit. The workers are told. */
  endMs: number;
  /** Takes what is to be done for a request that is over, and that nobody waits for. */
  afterwards: (work: Promise<unknown>) => void;
}

/**
 * Runs one request. Where that takes many rounds, or where the result is large, the coordinator gives a
 * ticket by which the result is fetched in parts. A call whose answer is lost on the way is made again
 * for the same request; a request that came to nothing is made anew where that may help.
 */
export function runRequest(target: RunTarget, inputs: Uint8Array): Promise<RequestOutcome> {
  return retry(`model "${target.model}"`, () => new Request(target, inputs).run(), target.retry, {
    signal: target.signal,
    // Each call of the request was already made again after those.
    only: (error) => !isOnTheWay(error),
  });
}

/**
 * Whether the canister did not answer: the call was lost, its answer was, the subnet has no room for it, or
 * the canister is stopped.
 */
function isOnTheWay(error: CanopyError): boolean {
  return error instanceof UnreachableError || ['rejected', 'stopped'].includes(error.code);
}

/** First wait between two looks for a result, and the longest, in milliseconds. */
const firstLookMs = 50;
const longestLookMs = 1000;
/** Offset beyond the end of every result: a fetch from there tells whether the result is there. */
const beyondTheEnd = 0xffffffff;

/** One request, sent under one number. */
class Request {
  private ticket: bigint | undefined;

  constructor(
    private readonly target: RunTarget,
    private readonly inputs: Uint8Array,
  ) {}

  async run(): Promise<RequestOutcome> {
    const { target, inputs } = this;
    target.signal.throwIfAborted();
    const number = await newNumber(target.model, inputs);
    try {
      const reply = await this.again(() => this.ask(number));
      if (reply.kind === 'done') {
        const { outputs, microBatches, stages } = reply;
        const bytesReceived = outputs.length;
        return { outputs: decodeReply(outputs), microBatches, stages, bytesReceived };
      }
      this.ticket = reply.ticket;
      const outcome = readFetched(target, await this.fetch(reply.ticket));
      this.later(() => target.coordinator.release(reply.ticket));
      return outcome;
    } catch (error) {
      // The coordinator asks the workers how a cancelled request ended: it may be done, or have failed.
      if (this.mayRun(error)) this.later(() => target.coordinator.cancel(number.id));
      throw error;
    }
  }

  /** Whether the workers may still be at it, or keep its result. */
  private mayRun(error: unknown): boolean {
    return (
      this.ticket !== undefined || this.target.signal.aborted || error instanceof UnreachableError
    );
  }

  private async ask(number: RequestNumber): Promise<InferReply> {
    const { coordinator, model, signal, endMs } = this.target;
    const options = { number: { ...number, deadline_seconds: secondsUntil(endMs) }, signal };
    if (!isLong(this.target.interface, this.inputs))
      return coordinator.infer(model, this.inputs, options);
    return { kind: 'ticket', ticket: await coordinator.submit(model, this.inputs, options) };
  }

  /**
   * Looks for the result by query, which costs no round, and takes it: with the same answers, or, in a
   * certified session, by calls that consensus agrees on once it is there.
   */
  private async fetch(ticket: bigint): Promise<Uint8Array> {
    const { coordinator, certified, signal } = this.target;
    const part = async (offset: number, byUpdate: boolean): Promise<FetchedPart | undefined> => {
      const reply = await this.again(() => coordinator.fetch(ticket, offset, byUpdate, { signal }));
      return 'part' in reply ? reply.part : undefined;
    };
    if (certified) await this.look(() => part(beyondTheEnd, false));
    const first = await this.look(() => part(0, certified));
    const whole = new Uint8Array(first.total);
    for (let at = 0, next: FetchedPart | undefined = first; ;) {
      if (next === undefined || next.bytes.length === 0 || at + next.bytes.length > whole.length) {
        throw new CanopyError(
          'bad-reply',
          `ticket ${ticket.toString()}: a part of the result from byte ${at} of ${whole.length} on is not there`,
        );
      }
      whole.set(next.bytes, at);
      at += next.bytes.length;
      if (at === whole.length) return whole;
      next = await part(at, certified);
    }
  }

  /** Asks again and again, less and less often, until there is something. */
  private async look<T>(ask: () => Promise<T | undefined>): Promise<T> {
    const { transport, signal } = this.target;
    for (let delay = firstLookMs; ; delay = Math.min(longestLookMs, delay * 2)) {
      const found = await ask();
      if (found !== undefined) return found;
      await unlessAborted(transport.wait(delay), signal);
    }
  }

  /** Makes a call again where its answer was lost on the way, or the subnet asked for that. */
  private again<T>(call: () => Promise<T>): Promise<T> {
    const { model, retry: options, signal } = this.target;
    return retry(`model "${model}"`, call, options, { signal, only: isOnTheWay });
  }

  /** Makes a call behind the answer. Nobody waits for it, and it may fail. */
  private later(call: () => Promise<void>): void {
    const { model, retry: options, afterwards } = this.target;
    // Its tries are not those of the run.
    const quiet: RetryOptions = { ...options, onRetry: () => undefined };
    afterwards(retry(`model "${model}"`, call, quiet));
  }
}

/** Seconds left until then, whole and at least 1; none where there is no limit. */
function secondsUntil(endMs: number): [] | [number] {
  const seconds = Math.max(1, Math.ceil((endMs - Date.now()) / 1000));
  return seconds <= 0xffffffff ? [seconds] : [];
}

/** Part of a result, as the coordinator gives it. */
interface FetchedPart {
  bytes: Uint8Array | number[];
  total: number;
}

/** A bundle that came as an answer. Throws `bad-reply`. */
function decodeReply(bytes: Uint8Array): BundleTensor[] {
  try {
    return decodeBundle(bytes);
  } catch (error) {
    throw toCanopyError(error, 'outputs');
  }
}

function readFetched(target: RunTarget, bytes: Uint8Array): RequestOutcome {
  let result: Result;
  try {
    result = decodeResult(bytes);
  } catch (error) {
    throw toCanopyError(error, 'result');
  }
  if (result.status === 'failed') {
    const known = parseCanisterError(result.text);
    throw new CanopyError(
      known?.code ?? 'internal',
      `model "${target.model}": stage ${result.stage} (worker ${workersOf(target)[result.stage] ?? unknownWorker}): ` +
        (known?.message ?? result.text),
      known?.retryable,
    );
  }
  if (result.status !== 'done') {
    throw new CanopyError('internal', `a fetched result says "${result.status}"`);
  }
  const names = target.interface.results;
  const outputs = joinRows(result.tasks.map((task) => decodeReply(task.bundle)));
  return {
    outputs: outputs.map((tensor, index) => ({ ...tensor, name: names[index] ?? '' })),
    microBatches: result.tasks.length,
    stages: sumTraces(
      result.tasks.map((task) => task.traces),
      workersOf(target),
    ),
    bytesReceived: bytes.length,
  };
}

/** What {@link StageDetail} says of a worker that is not known. */
const unknownWorker = 'unknown';

/** Workers of the stages; none where a ticket does not tell which of several pipelines it is of. */
function workersOf({ interface: { stageCount }, workers }: RunTarget): readonly string[] {
  return workers.length === stageCount ? workers : [];
}

function sumTraces(
  tasks: readonly (readonly StageTrace[])[],
  workers: readonly string[],
): StageDetail[] {
  const perTask = tasks.map((traces) =>
    traces.map(({ instructions, messages, bytesReceived, bytesSent, scratchBytes }, stage) => ({
      worker: workers[stage] ?? unknownWorker,
      instructions,
      messages,
      bytesReceived: BigInt(bytesReceived),
      bytesSent: BigInt(bytesSent),
      scratchBytes,
    })),
  );
  return addStages(perTask);
}

/** Adds up what the stages did for several micro-batches or requests, stage by stage. */
export function addStages(lists: readonly (readonly StageDetail[])[]): StageDetail[] {
  const totals: StageDetail[] = [];
  for (const list of lists) {
    list.forEach((stage, index) => {
      const total = (totals[index] ??= {
        worker: stage.worker,
        instructions: 0n,
        messages: 0,
        bytesReceived: 0n,
        bytesSent: 0n,
        scratchBytes: 0,
      });
      total.instructions += stage.instructions;
      total.messages += stage.messages;
      total.bytesReceived += stage.bytesReceived;
      total.bytesSent += stage.bytesSent;
      total.scratchBytes = Math.max(total.scratchBytes, stage.scratchBytes);
    });
  }
  return totals;
}
