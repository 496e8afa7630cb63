import type { InferenceSession, Tensor } from 'onnxruntime-common';
import PQueue from 'p-queue';
import { CanisterError, joinRows, parsePlan, type Plan, type TensorSpec } from '@canopy/protocol';
import { CoordinatorClient, type StageDetail } from '../coordinator-client.js';
import { within, type Limits } from '../abort.js';
import type { Deployment } from '../deploy/manifest.js';
import { requireReady } from '../deploy/manifest.js';
import { CanopyError, toCanopyError } from '../errors.js';
import { retry, type RetryOptions } from '../retry.js';
import type { Transport } from '../transport/transport.js';
import { cutIntoRequests } from './requests.js';
import { addStages, runRequest, type RequestOutcome } from './run-request.js';
import { toBundleTensor, toOrtTensor, type TensorLike } from './tensors.js';

/** Where a model is asked: a finished deployment, or a coordinator and the name it knows the model by. */
export type SessionTarget = Deployment | { coordinator: string; model: string };

export interface SessionOptions {
  transport: Transport;
  /**
   * Requests under way at once, when feeds are so large that they are cut into several.
   * @default 8
   */
  concurrency?: number;
  /**
   * Fetch the parts of results larger than a message by update calls, which consensus agrees on;
   * false takes queries, which are faster and which one replica answers alone.
   * @default true
   */
  certified?: boolean;
  retry?: RetryOptions;
  /**
   * Milliseconds a run may take where the run itself does not say; `Infinity` waits for ever: the workers then
   * give requests up when they are configured to.
   * @default 3600000, an hour
   */
  timeoutMs?: number;
}

/**
 * How long a run may take; where it ends before it is done, its requests are cancelled at the workers. These
 * are told too how long that is, and give the requests up by themselves where nobody cancels them.
 */
export type RunOptions = Limits;

export type Feeds = Readonly<Record<string, TensorLike>>;
export type Fetches = readonly string[] | Readonly<Record<string, unknown>>;

const defaultTimeoutMs = 3_600_000;
const limitNames: ReadonlySet<string> = new Set<keyof Limits>(['timeoutMs', 'deadline', 'signal']);

/** What a run cost. */
export interface RunDetail {
  requests: number;
  microBatches: number;
  /** Tries that failed and were repeated. */
  retries: number;
  bytesSent: number;
  bytesReceived: number;
  /** In order; what each did for all micro-batches of the run. */
  stages: StageDetail[];
}

export interface DetailedResult {
  outputs: Record<string, Tensor>;
  detail: RunDetail;
}

/**
 * A model on an Internet Computer, with the calls of onnxruntime's `InferenceSession`.
 *
 * ```ts
 * const session = await CanopySession.create(deployment, { transport });
 * const { logits } = await session.run({ pixels: new Tensor('float32', data, [1, 3, 224, 224]) });
 * ```
 */
export class CanopySession {
  /** What the latest finished {@link run} cost. */
  lastRun: RunDetail | undefined;
  /** What is still to be told to the IC of runs that are over. */
  private readonly afterwards = new Set<Promise<unknown>>();

  private constructor(
    private readonly coordinator: CoordinatorClient,
    readonly model: string,
    readonly plan: Plan,
    /** Canister ids of all pipelines' workers, one pipeline after the other, each stage by stage. */
    readonly workers: readonly string[],
    private readonly options: SessionOptions,
  ) {}

  /**
   * Opens a session. The plan is asked from the coordinator where the target does not hold it. Throws
   * {@link CanopyError}: `bad-deployment` where a deployment is not finished, `unknown-model` where the
   * coordinator does not know the model.
   */
  static async create(target: SessionTarget, options: SessionOptions): Promise<CanopySession> {
    if ('format' in target) {
      const { coordinator, model, plan, workers } = requireReady(target);
      const client = new CoordinatorClient(options.transport, coordinator);
      return new CanopySession(client, model, plan, workers, options);
    }
    const client = new CoordinatorClient(options.transport, target.coordinator);
    const models = await retry('asking for models', () => client.models(), options.retry);
    const known = models.find((one) => one.name === target.model);
    if (known === undefined) {
      const names = models.map((one) => `"${one.name}"`).join(', ');
      throw new CanopyError(
        CanisterError.unknownModel.code,
        `coordinator ${target.coordinator} does not know model "${target.model}"; known: ${names}`,
      );
    }
    return new CanopySession(client, known.name, readPlan(known.plan), known.workers, options);
  }

  get inputNames(): readonly string[] {
    return this.plan.inputs.map((spec) => spec.name);
  }
  get outputNames(): readonly string[] {
    return this.plan.outputs.map((spec) => spec.name);
  }
  get inputMetadata(): readonly InferenceSession.ValueMetadata[] {
    return this.plan.inputs.map(metadata);
  }
  get outputMetadata(): readonly InferenceSession.ValueMetadata[] {
    return this.plan.outputs.map(metadata);
  }

  /**
   * Runs the model. Feeds and results are those of onnxruntime's `InferenceSession.run`. Feeds too
   * large for a message are cut by rows into several requests that run at the same time. Throws
   * {@link CanopyError}; what may succeed later (busy workers) is retried with back-off before that. Throws
   * {@link TimeoutError} or {@link AbortError} as soon as the limits of `options` say; the requests are then
   * cancelled on the IC, for which {@link release} waits.
   *
   * ```ts
   * await session.run(feeds, { timeoutMs: 30_000, signal });
   * ```
   *
   * @param fetches names of the outputs wanted; all where it is left out
   */
  async run(
    feeds: Feeds,
    fetches?: Fetches | RunOptions,
    options?: RunOptions,
  ): Promise<Record<string, Tensor>> {
    return (await this.runDetailed(feeds, fetches, options)).outputs;
  }

  /** {@link run} that also tells what it cost. */
  async runDetailed(
    feeds: Feeds,
    fetches?: Fetches | RunOptions,
    options?: RunOptions,
  ): Promise<DetailedResult> {
    const given = this.readArguments(fetches, options);
    const wanted = this.wantedOutputs(given.fetches);
    const requests = cutIntoRequests(this.plan, this.orderFeeds(feeds));
    const limits = { timeoutMs: this.options.timeoutMs ?? defaultTimeoutMs, ...given.options };
    const next =
      'its requests are cancelled; give it more time with "timeoutMs", or look at the status of the workers';
    const { outcomes, retries } = await within(
      `model "${this.model}"`,
      limits,
      next,
      (signal, endMs) => this.runAll(requests, signal, endMs),
    );
    const outputs = joinRows(outcomes.map((outcome) => outcome.outputs));
    const detail: RunDetail = {
      requests: requests.length,
      microBatches: outcomes.reduce((sum, outcome) => sum + outcome.microBatches, 0),
      retries,
      bytesSent: requests.reduce((sum, request) => sum + request.length, 0),
      bytesReceived: outcomes.reduce((sum, outcome) => sum + outcome.bytesReceived, 0),
      stages: addStages(outcomes.map((outcome) => outcome.stages)),
    };
    this.lastRun = detail;
    const named = outputs
      .filter((tensor) => wanted.has(tensor.name))
      .map((tensor) => [tensor.name, toOrtTensor(tensor)] as const);
    return { outputs: Object.fromEntries(named), detail };
  }

  /**
   * Waits until the IC was told which results are not needed any more, and which requests are cancelled.
   * Runs do not wait for that; a program that ends at once should.
   */
  async release(): Promise<void> {
    while (this.afterwards.size > 0) await Promise.all(this.afterwards);
  }

  /** Runs all requests, or, where one fails, cancels the others. */
  private async runAll(
    requests: readonly Uint8Array[],
    runSignal: AbortSignal,
    endMs: number,
  ): Promise<{ outcomes: RequestOutcome[]; retries: number }> {
    let retries = 0;
    const failed = new AbortController();
    const target = {
      transport: this.options.transport,
      coordinator: this.coordinator,
      model: this.model,
      plan: this.plan,
      workers: this.workers,
      certified: this.options.certified ?? true,
      retry: {
        ...this.options.retry,
        onRetry: (error: CanopyError, attempt: number) => {
          retries++;
          this.options.retry?.onRetry?.(error, attempt);
        },
      },
      signal: AbortSignal.any([runSignal, failed.signal]),
      endMs,
      afterwards: (work: Promise<unknown>) => {
        const done: Promise<unknown> = work
          .catch(() => undefined)
          .finally(() => this.afterwards.delete(done));
        this.afterwards.add(done);
      },
    };
    const queue = new PQueue({ concurrency: this.options.concurrency ?? 8 });
    const begun: Promise<RequestOutcome>[] = [];
    const begin = (request: Uint8Array): Promise<RequestOutcome> => {
      const run = runRequest(target, request);
      begun.push(run);
      return run;
    };
    try {
      const outcomes = await queue.addAll(requests.map((request) => () => begin(request)));
      return { outcomes, retries };
    } catch (error) {
      queue.clear();
      failed.abort(error);
      await Promise.allSettled(begun);
      throw error;
    }
  }

  /** As onnxruntime's sessions take them: options may stand in the place of the fetches. */
  private readArguments(
    fetches: Fetches | RunOptions | undefined,
    options: RunOptions | undefined,
  ): { fetches: Fetches | undefined; options: RunOptions } {
    const keys = fetches === undefined || Array.isArray(fetches) ? [] : Object.keys(fetches);
    const areOptions =
      keys.length > 0 &&
      keys.every((key) => limitNames.has(key) && !this.outputNames.includes(key));
    return areOptions
      ? { fetches: undefined, options: fetches as RunOptions }
      : { fetches: fetches as Fetches | undefined, options: options ?? {} };
  }

  private orderFeeds(feeds: Feeds): ReturnType<typeof toBundleTensor>[] {
    const names = this.inputNames;
    const unknown = Object.keys(feeds).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new CanopyError(
        'bad-feeds',
        `feed "${unknown}" is unknown; the model takes ${names.join(', ')}`,
      );
    }
    return names.map((name) => {
      const feed = feeds[name];
      if (feed === undefined) {
        throw new CanopyError(
          'bad-feeds',
          `feed "${name}" is missing; the model takes ${names.join(', ')}`,
        );
      }
      return toBundleTensor(name, feed);
    });
  }

  private wantedOutputs(fetches: Fetches | undefined): Set<string> {
    const known = this.outputNames;
    if (fetches === undefined) return new Set(known);
    const names: readonly string[] = Array.isArray(fetches) ? fetches : Object.keys(fetches);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new CanopyError(
        'bad-feeds',
        `output "${unknown}" is unknown; the model gives ${known.join(', ')}`,
      );
    }
    return new Set(names);
  }
}

/** Throws `bad-reply`. */
function readPlan(json: string): Plan {
  try {
    return parsePlan(json);
  } catch (error) {
    throw toCanopyError(error, 'plan of the coordinator');
  }
}

function metadata({ name, dtype, dims }: TensorSpec): InferenceSession.ValueMetadata {
  // onnxruntime's own list of names has no bfloat16.
  return { name, isTensor: true, type: dtype as Tensor.Type, shape: dims };
}
