import { bool, f32, group, oneOf, u32, type ValueOf } from './attribute.js';
import { operator } from './description.js';
import { float32 } from './types.js';
import { UnaryKind } from './unary.js';

/** What happens in a step of a recurrent layer; how many gates it has, and in which order. */
export const RecurrentCell = {
  /** one gate */
  rnn: 0,
  /** update, reset, candidate; the state is reset before its product */
  gru: 1,
  /** the same; the product of the state is reset */
  gruResetAfter: 2,
  /** input, output, forget, candidate */
  lstm: 3,
  /** the same; forgets as much as it takes in */
  lstmCoupled: 4,
} as const;
export type RecurrentCellName = keyof typeof RecurrentCell;

/** A function of a gate: `outer * kind(inner * x)`. */
export const gateFunction = group({
  kind: oneOf(UnaryKind),
  alpha: f32,
  beta: f32,
  inner: f32,
  outer: f32,
});
export type GateFunction = ValueOf<typeof gateFunction>;

/**
 * One direction of a recurrent layer, with the product of its inputs made before it.
 *
 * Inputs: that product with its bias [steps, batch, gates * hidden]; the matrix of the state, packed
 * [hidden, gates * hidden], or as it is [gates * hidden, hidden]; of a GRU that resets before the product, where
 * packed, the matrix of the first two gates and here that of the third; bias? [gates * hidden]; state at first?
 * and memory at first? [1, batch, hidden]; steps of each row? [batch]; peepholes? [3 * hidden] of input, output,
 * forget; scales? [gates * hidden]: the matrix then holds integers, and of an LSTM without a bias the states of all
 * rows are rounded to 8 bits before each product, as DynamicQuantize does. Outputs: where `all`, the state of each step [steps, 1, batch, hidden]; the last state and, of an
 * LSTM, memory [1, batch, hidden].
 */
export const recurrent = operator({
  code: 43,
  name: 'Recurrent',
  attributes: {
    cell: oneOf(RecurrentCell),
    hidden: u32,
    /** From the last step to the first. */
    reverse: bool,
    packed: bool,
    all: bool,
    /** Bound of what gates are made of; 0 where there is none. */
    clip: f32,
    gate: gateFunction,
    candidate: gateFunction,
    /** Of the memory, before it is given out. */
    result: gateFunction,
  },
  inputs: [float32, float32, float32, float32, float32, float32, ['int32'], float32, float32],
  outputs: [0, 0, 0],
});
