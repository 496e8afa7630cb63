import type { OpAttributes, RecurrentCellName } from '@canopy/protocol';
import { patterned } from '../../testing/metered-engine.js';
import { random } from '../compare.js';
import type { TestTensor } from '../engine.js';
import type { Attribute } from '../onnxruntime.js';
import { operatorContract, type ContractCase } from './contract.js';

const gatesOf: Record<RecurrentCellName, number> = {
  rnn: 1,
  gru: 3,
  gruResetAfter: 3,
  lstm: 4,
  lstmCoupled: 4,
};
const plain = { alpha: 0, beta: 0, inner: 1, outer: 1 };
const tanh = { kind: 'tanh', ...plain } as const;
const sigmoid = { kind: 'sigmoid', ...plain } as const;

function layer(
  cell: RecurrentCellName,
  hidden: number,
  changes: Partial<OpAttributes['Recurrent']> = {},
): OpAttributes['Recurrent'] {
  return {
    ...{ cell, hidden, reverse: false, packed: false, all: true, clip: 0 },
    ...{ gate: cell === 'rnn' ? tanh : sigmoid, candidate: tanh, result: tanh },
    ...changes,
  };
}

/** A matrix that leaves a product's rows as they are: onnxruntime makes the product of the inputs itself. */
function identity(size: number): TestTensor {
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return { dtype: 'float32', dims: [1, size, size], data };
}

interface Form {
  cell: RecurrentCellName;
  sizes: [steps: number, batch: number, hidden: number];
  changes?: Partial<OpAttributes['Recurrent']>;
  onnx?: Record<string, Attribute>;
  bias?: boolean;
  states?: boolean;
  lengths?: number[];
  peepholes?: boolean;
}

function form(name: string, given: Form): ContractCase<'Recurrent'> {
  const { cell, sizes, changes, bias = false, states = false, lengths, peepholes = false } = given;
  const [steps, batch, hidden] = sizes;
  const gates = gatesOf[cell];
  const width = gates * hidden;
  const isLstm = gates === 4;
  const projected = random([steps, batch, width], 1, 2);
  const matrix = random([1, width, hidden], 2, 0.5);
  const own = bias ? random([1, width], 3) : undefined;
  const [state, memory] = [4, 5].map((seed) =>
    states ? random([1, batch, hidden], seed) : undefined,
  );
  const counts: TestTensor | undefined = lengths && {
    dtype: 'int32',
    dims: [batch],
    data: lengths,
  };
  const peeps = peepholes ? random([1, 3 * hidden], 6) : undefined;
  const onnxBias = own && {
    ...own,
    dims: [1, 2 * width],
    data: Float32Array.from([...new Float32Array(width), ...Array.from(own.data)]),
  };
  const type = cell === 'rnn' ? 'RNN' : isLstm ? 'LSTM' : 'GRU';
  const all = [projected, identity(width), matrix, onnxBias, counts, state];
  const direction = changes?.reverse ? 'reverse' : 'forward';
  return {
    name: `${cell}, ${name}`,
    attributes: layer(cell, hidden, changes),
    inputs: [
      ...[projected, matrix, undefined, own, state],
      ...(isLstm ? [memory, counts, peeps] : [undefined, counts]),
    ],
    onnx: {
      type,
      inputs: isLstm ? [...all, memory, peeps] : all,
      attributes: {
        hidden_size: hidden,
        direction,
        ...(cell === 'gruResetAfter' && { linear_before_reset: 1 }),
        ...(cell === 'lstmCoupled' && { input_forget: 1 }),
        ...given.onnx,
      },
      outputs: Array<'float32'>(isLstm ? 3 : 2).fill('float32'),
    },
    tolerance: 1e-4,
  };
}

/** An LSTM whose states are rounded: its inputs have no weights, so that only the bias is left of them. */
function rounded(
  name: string,
  [steps, batch, hidden]: readonly [number, number, number],
): ContractCase<'Recurrent'> {
  const width = 4 * hidden;
  const bias = random([1, width], 3);
  const bytes = Array.from(random([hidden * width], 7).data, (value) => Math.round(value * 127));
  const scales = Float32Array.from({ length: width }, (_, i) => 0.002 + (i % 5) * 0.001);
  const turned = Array.from({ length: width * hidden }, (_, i) => {
    return bytes[(i % hidden) * width + Math.floor(i / hidden)]!;
  });
  const [state, memory] = [4, 5].map((seed) => random([1, batch, hidden], seed));
  const given = Array.from({ length: steps * batch }, () => Array.from(bias.data)).flat();
  const tensor = (dims: number[], data: ArrayLike<number>): TestTensor => ({
    dtype: 'float32',
    dims,
    data,
  });
  const whole = (dims: number[], data: ArrayLike<number>): TestTensor => ({
    dtype: 'int8',
    dims,
    data,
  });
  const both = Float32Array.from([...Array.from(bias.data), ...new Float32Array(width)]);
  return {
    name: `states in 8 bits, ${name}`,
    attributes: layer('lstm', hidden),
    inputs: [
      ...[tensor([steps, batch, width], given), tensor([1, width, hidden], turned)],
      ...[undefined, undefined, state, memory, undefined, undefined],
      tensor([width], scales),
    ],
    onnx: {
      type: 'DynamicQuantizeLSTM',
      domain: 'com.microsoft',
      inputs: [
        ...[random([steps, batch, 2]), whole([1, 2, width], new Int8Array(2 * width))],
        ...[whole([1, hidden, width], bytes), tensor([1, 2 * width], both)],
        ...[undefined, state, memory, undefined],
        ...[tensor([1], [0.01]), whole([1], [0])],
        ...[tensor([1, width], scales), whole([1, width], new Int8Array(width))],
      ],
      attributes: { hidden_size: hidden },
      outputs: ['float32', 'float32', 'float32'],
    },
    tolerance: 1e-4,
  };
}

const cells = Object.keys(gatesOf) as RecurrentCellName[];

operatorContract(
  'Recurrent',
  [
    rounded('one row', [3, 1, 5]),
    rounded('rows', [4, 3, 16]),
    ...cells.flatMap((cell) => [
      form('one row', { cell, sizes: [3, 1, 5] }),
      form('rows', { cell, sizes: [4, 7, 10], bias: true, states: true }),
      form('wide rows', { cell, sizes: [2, 3, 80], bias: true, states: true }),
      form('backwards', { cell, sizes: [3, 2, 4], states: true, changes: { reverse: true } }),
      form('lengths', { cell, sizes: [4, 3, 4], states: true, lengths: [2, 4, 0] }),
      form('lengths backwards', {
        ...{ cell, sizes: [4, 3, 4], states: true, lengths: [3, 4, 1] },
        changes: { reverse: true },
      }),
      form('clip', {
        ...{ cell, sizes: [3, 2, 8], bias: true },
        ...{ changes: { clip: 0.25 }, onnx: { clip: { float: 0.25 } } },
      }),
    ]),
    form('peepholes', { cell: 'lstm', sizes: [3, 2, 6], peepholes: true, states: true }),
    form('peepholes', { cell: 'lstmCoupled', sizes: [3, 2, 6], peepholes: true, states: true }),
  ],
  [
    {
      name: 'many steps',
      attributes: layer('gru', 8),
      inputs: [patterned([30_000, 1, 24]), patterned([24, 8])],
      outputs: 2,
    },
    {
      name: 'many rows',
      attributes: layer('lstm', 16),
      inputs: [patterned([2, 20_000, 64]), patterned([64, 16])],
      outputs: 3,
    },
    {
      name: 'wide',
      attributes: layer('gruResetAfter', 1500, { all: false }),
      inputs: [patterned([3, 1, 4500]), patterned([4500, 1500])],
    },
  ],
);
