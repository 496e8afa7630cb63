import { CanisterError, type Plan } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';
import type { PrincipalLike } from '../ic/ic.js';

/** A model that can be asked. */
export interface Model {
  name: string;
  plan: Plan;
  /** The plan as it was registered. */
  planText: string;
  /** Of all stages in order; [0] is the head. */
  workers: readonly PrincipalLike[];
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
  add(model: Model): void {
    this.models.set(model.name, model);
  }
  remove(name: string): void {
    this.models.delete(name);
  }
  all(): Model[] {
    return [...this.models.values()];
  }
}
