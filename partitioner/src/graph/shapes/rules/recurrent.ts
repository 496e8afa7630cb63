import type { Dim } from '../dim.js';
import type { Facts } from '../facts.js';
import { rulesFor, type Rule } from '../operation.js';

/** X [seq, batch, input], or [batch, seq, input] where `layout` is 1. Outputs: Y, Y_h, Y_c. */
function recurrent(gates: number): Rule {
  return (op) => {
    const batchFirst = op.int('layout', 0) === 1;
    const [first, second] = op.dims(0);
    const [sequence, batch] = batchFirst ? [second!, first!] : [first!, second!];
    const [directions, gateRows] = op.dims(1);
    const given = op.attribute('hidden_size');
    const hidden: Dim =
      given?.kind === 'int'
        ? given.value
        : typeof gateRows === 'number'
          ? gateRows / gates
          : op.dims(2)[2]!;
    const dtype = op.dtype(0);
    const all: Facts = {
      dtype,
      dims: batchFirst
        ? [batch, sequence, directions!, hidden]
        : [sequence, directions!, batch, hidden],
    };
    const last: Facts = {
      dtype,
      dims: batchFirst ? [batch, directions!, hidden] : [directions!, batch, hidden],
    };
    return [all, last, last];
  };
}

/** Weights are transposed: W [directions, input, 4 * hidden]. */
const quantizedLstm: Rule = (op) => {
  const [sequence, batch] = op.dims(0);
  const [directions] = op.dims(1);
  const hidden = op.int('hidden_size', 0);
  const last: Facts = { dtype: op.dtype(0), dims: [directions!, batch!, hidden] };
  return [{ ...last, dims: [sequence!, ...last.dims] }, last, last];
};

export const recurrentRules: Record<string, Rule> = {
  LSTM: recurrent(4),
  GRU: recurrent(3),
  RNN: recurrent(1),
  ...rulesFor(quantizedLstm, 'com.microsoft.DynamicQuantizeLSTM'),
};
