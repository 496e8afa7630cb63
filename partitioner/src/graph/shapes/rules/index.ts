import type { Rule } from '../operation.js';
import { indexing } from './indexing.js';
import { matrix } from './matrix.js';
import { normalization } from './normalization.js';
import { shapes } from './shape.js';

/**
 * What the results of operators look like that no worker runs yet (those of others: `operators/`), so that
 * a model's other nodes can be judged. An operator that is in neither is run to be known.
 */
export const shapeRules: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...shapes,
    ...indexing,
    ...matrix,
    ...normalization,
  }),
);
