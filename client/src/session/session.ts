import type { InferenceSession, Tensor } from 'onnxruntime-common';
import PQueue from 'p-queue';
import { CanisterError, joinRows, parsePlan, type Plan, type TensorSpec } from '@canopy/protocol';
import { CoordinatorClient, type StageDetail } from '../coordinator-client.js';
import type { Deployment } from '../deploy/manifest.js';
import { requireReady } from '../deploy/manifest.js';
import { CanopyError } from '../errors.js';
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
}

export type Feeds = Readonly<Record<string, TensorLike>>;
export type Fetches = readonly string[] | Readonly<Record<string, unknown>>;

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
    return new CanopySession(client, known.name, parsePlan(known.plan), known.workers, options);
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
   * {@link CanopyError}; what may succeed later (busy workers) is retried with back-off before that.
   *
   * @param fetches names of the outputs wanted; all where it is left out
   */
  async run(feeds: Feeds, fetches?: Fetches): Promise<Record<string, Tensor>> {
    return (await this.runDetailed(feeds, fetches)).outputs;
  }

  /** {@link run} that also tells what it cost. */
  async runDetailed(feeds: Feeds, fetches?: Fetches): Promise<DetailedResult> {
    const wanted = this.wantedOutputs(fetches);
    const requests = cutIntoRequests(this.plan, this.orderFeeds(feeds));
    let retries = 0;
    const retryOptions: RetryOptions = {
      ...this.options.retry,
      onRetry: (error, attempt) => {
        retries++;
        this.options.retry?.onRetry?.(error, attempt);
      },
    };
    const outcomes = await this.runAll(requests, retryOptions);
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

  /** Nothing is held open; there because onnxruntime's sessions have it. */
  release(): Promise<void> {
    return Promise.resolve();
  }

  private async runAll(
    requests: readonly Uint8Array[],
    retryOptions: RetryOptions,
  ): Promise<RequestOutcome[]> {
    const target = {
      transport: this.options.transport,
      coordinator: this.coordinator,
      model: this.model,
      plan: this.plan,
      workers: this.workers,
      certified: this.options.certified ?? true,
    };
    const queue = new PQueue({ concurrency: this.options.concurrency ?? 8 });
    try {
      return await queue.addAll(
        requests.map(
          (request) => () =>
            retry(`model "${this.model}"`, () => runRequest(target, request), retryOptions),
        ),
      );
    } catch (error) {
      queue.clear();
      throw error;
    }
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

function metadata({ name, dtype, dims }: TensorSpec): InferenceSession.ValueMetadata {
  return { name, isTensor: true, type: dtype, shape: dims };
}
