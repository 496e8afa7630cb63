import { CanisterError, byPipeline, type Plan } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import { samePrincipal, type PrincipalLike } from '../ic/ic.js';

/** Workers of all stages in order; [0] is the head. */
export type Pipeline = readonly PrincipalLike[];

/** A model as it is registered. */
export interface ModelEntry {
  name: string;
  plan: Plan;
  /** The plan as it was registered. */
  planText: string;
  /** Of all pipelines, one after the other. */
  workers: readonly PrincipalLike[];
  /** Of the workers' configuration; every message to them carries it. */
  epoch: bigint;
}

/** A model that can be asked. */
export class Model implements ModelEntry {
  readonly name: string;
  readonly plan: Plan;
  readonly planText: string;
  readonly workers: readonly PrincipalLike[];
  readonly epoch: bigint;
  readonly pipelines: readonly Pipeline[];
  /** Pipeline that the next request is offered to first. */
  private next = 0;

  constructor(entry: ModelEntry) {
    ({ name: this.name, plan: this.plan, planText: this.planText } = entry);
    ({ workers: this.workers, epoch: this.epoch } = entry);
    this.pipelines = byPipeline(this.workers, this.plan);
  }

  /**
   * The pipelines that a request is offered to, each in turn the first, and the one after it. No more: a
   * refusal must stay cheap however many pipelines there are.
   */
  inTurn(): readonly Pipeline[] {
    const first = this.next;
    this.next = (first + 1) % this.pipelines.length;
    return this.next === first
      ? this.pipelines
      : [this.pipelines[first]!, this.pipelines[this.next]!];
  }

  /** The pipeline with this head; undefined where the model has none. */
  pipelineOf(head: PrincipalLike): Pipeline | undefined {
    return this.pipelines.find(([own]) => samePrincipal(own!, head));
  }
}

/** The models this coordinator serves, by name. */
export class ModelRegistry {
  private readonly models = new Map<string, Model>();

  has(name: string): boolean {
    return this.models.has(name);
  }
  /** Throws {@link CoordinatorError} `unknown-model`. */
  get(name: string): Model {
    const model = this.models.get(name);
    if (model === undefined) {
      const known = [...this.models.keys()].map((key) => `"${key}"`).join(', ');
      throw new CoordinatorError(
        CanisterError.unknownModel,
        `model "${name}" is not registered here; ${known === '' ? 'there are none' : `known: ${known}`}`,
      );
    }
    return model;
  }
  add(entry: ModelEntry): void {
    this.models.set(entry.name, new Model(entry));
  }
  remove(name: string): void {
    this.models.delete(name);
  }
  all(): Model[] {
    return [...this.models.values()];
  }
}
