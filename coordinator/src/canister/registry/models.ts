import {
  CanisterError,
  byPipeline,
  deploymentFingerprint,
  interfaceOf,
  type ModelInterface,
  type Plan,
} from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';

/** Workers of all stages in order; [0] is the head. */
export type Pipeline = readonly PrincipalLike[];

/** Pipelines that a request is offered to at most. */
const mostOffers = 2;
/** How long a pipeline that fails is left out, at first and at most: it is tried with a request of a caller. */
const avoidedSeconds = 10;
const longestAvoidedSeconds = 300;

/** A model as it is kept. */
export interface Registration {
  name: string;
  /** The plan as it was registered. */
  planText: string;
  /** Of all pipelines, one after the other. */
  workers: readonly PrincipalLike[];
  /** Of the workers' configuration; every message to them carries it. */
  epoch: bigint;
}

/** A model as it is registered. */
export interface ModelEntry extends Registration {
  plan: Plan;
}

/** A model that an earlier version registered, and whose plan this one cannot read. */
export interface UnreadableModel extends Registration {
  /** What is wrong with its plan. */
  reason: string;
}

/** A model that can be asked. */
export class Model implements ModelEntry {
  readonly name: string;
  readonly plan: Plan;
  readonly planText: string;
  readonly workers: readonly PrincipalLike[];
  readonly epoch: bigint;
  readonly pipelines: readonly Pipeline[];
  /** What callers are told of the plan. */
  readonly interface: ModelInterface;
  /** Tells this deployment from others. */
  readonly fingerprint: bigint;
  /** Pipeline that the next request is offered to first. */
  private next = 0;
  /** Pipelines that did not take a request, and until when none is offered to them first. */
  private readonly failing = new Map<Pipeline, { untilNs: bigint; seconds: number }>();

  constructor(entry: ModelEntry) {
    ({ name: this.name, plan: this.plan, planText: this.planText } = entry);
    ({ workers: this.workers, epoch: this.epoch } = entry);
    this.pipelines = byPipeline(this.workers, this.plan);
    this.interface = interfaceOf(this.plan);
    const workers = this.workers.map((worker) => worker.toUint8Array());
    this.fingerprint = deploymentFingerprint(this.plan, workers);
  }

  /**
   * The pipelines that a request is offered to, each in turn the first, and the one after it. No more: a
   * refusal must stay cheap however many pipelines there are. Those that fail come last; after a while a
   * request is offered to one of them first, to see whether it answers again.
   */
  inTurn(nowNs: bigint): readonly Pipeline[] {
    const { pipelines } = this;
    const turn = pipelines.map((_, index) => pipelines[(this.next + index) % pipelines.length]!);
    this.next = (this.next + 1) % pipelines.length;
    if (this.failing.size === 0) return turn.slice(0, mostOffers);
    const rank = (pipeline: Pipeline): number => {
      const failing = this.failing.get(pipeline);
      if (failing === undefined) return 1;
      return failing.untilNs <= nowNs ? 0 : 2;
    };
    return turn.sort((one, other) => rank(one) - rank(other)).slice(0, mostOffers);
  }

  /** A pipeline took a request, or refused one for the request's sake or because it is full. */
  answers(pipeline: Pipeline): void {
    this.failing.delete(pipeline);
  }

  /** A pipeline did not take a request for a reason of its own. */
  fails(pipeline: Pipeline, nowNs: bigint): void {
    const before = this.failing.get(pipeline);
    const seconds = before ? Math.min(before.seconds * 2, longestAvoidedSeconds) : avoidedSeconds;
    this.failing.set(pipeline, { seconds, untilNs: nowNs + BigInt(seconds) * 1_000_000_000n });
  }

  /** The pipeline with this head; undefined where the model has none. */
  pipelineOf(head: PrincipalLike): Pipeline | undefined {
    return this.pipelines.find(([own]) => samePrincipal(own!, head));
  }
}

/** The models this coordinator knows, by name. */
export class ModelRegistry {
  private readonly models = new Map<string, Model | UnreadableModel>();

  has(name: string): boolean {
    return this.models.has(name);
  }
  /** The model; undefined where it is not known, or cannot be read. */
  find(name: string): Model | undefined {
    const model = this.models.get(name);
    return model instanceof Model ? model : undefined;
  }
  /** Throws {@link CoordinatorError} `unknown-model`, or `unsupported` of a model that cannot be read. */
  get(name: string): Model {
    const model = this.requireKnown(name);
    if (model instanceof Model) return model;
    throw new CoordinatorError(
      CanisterError.unsupported,
      `model "${name}" was registered by an earlier version of the coordinator, and this one cannot read ` +
        `its plan (${model.reason}): unregister it, plan it again and deploy it anew`,
    );
  }
  add(entry: ModelEntry): void {
    this.models.set(entry.name, new Model(entry));
  }
  /** Keeps a model that cannot be asked: it is listed, and can be removed. */
  addUnreadable(model: UnreadableModel): void {
    this.models.set(model.name, model);
  }
  /** Throws {@link CoordinatorError} `unknown-model`. */
  remove(name: string): void {
    this.requireKnown(name);
    this.models.delete(name);
  }
  /** Those that can be asked. */
  usable(): Model[] {
    return [...this.models.values()].filter((model) => model instanceof Model);
  }
  all(): (Model | UnreadableModel)[] {
    return [...this.models.values()];
  }

  /** Whether it can be asked or not. Throws {@link CoordinatorError} `unknown-model`. */
  requireKnown(name: string): Model | UnreadableModel {
    const model = this.models.get(name);
    if (model !== undefined) return model;
    const known = [...this.models.keys()].map((key) => `"${key}"`).join(', ');
    throw new CoordinatorError(
      CanisterError.unknownModel,
      `model "${name}" is not registered here; ${known === '' ? 'there are none' : `known: ${known}`}`,
    );
  }
}
