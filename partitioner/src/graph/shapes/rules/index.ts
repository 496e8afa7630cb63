import type { Rule } from '../operation.js';
import { attentionRules } from './attention.js';
import { convolution } from './convolution.js';
import { elementwise } from './elementwise.js';
import { indexing } from './indexing.js';
import { matrix } from './matrix.js';
import { normalization } from './normalization.js';
import { quantization } from './quantization.js';
import { recurrentRules } from './recurrent.js';
import { reduction } from './reduction.js';
import { resizing } from './resize.js';
import { shapes } from './shape.js';

/** What each operator's results look like, by its name. An operator not in it is run to be known. */
export const shapeRules: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...elementwise,
    ...shapes,
    ...indexing,
    ...matrix,
    ...reduction,
    ...normalization,
    ...convolution,
    ...resizing,
    ...recurrentRules,
    ...quantization,
    ...attentionRules,
  }),
);
