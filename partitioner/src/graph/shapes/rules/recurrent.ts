import type { Facts } from '../facts.js';
import { rulesFor, type Rule } from '../operation.js';

/** Weights are transposed: W [directions, input, 4 * hidden]. */
const quantizedLstm: Rule = (op) => {
  const [sequence, batch] = op.dims(0);
  const [directions] = op.dims(1);
  const hidden = op.int('hidden_size', 0);
  const last: Facts = { dtype: op.dtype(0), dims: [directions!, batch!, hidden] };
  return [{ ...last, dims: [sequence!, ...last.dims] }, last, last];
};

export const recurrentRules: Record<string, Rule> = rulesFor(
  quantizedLstm,
  'com.microsoft.DynamicQuantizeLSTM',
);
