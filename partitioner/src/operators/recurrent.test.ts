import { describe, expect, it } from 'vitest';
import { floatConstant, type Constant } from '../graph/constant.js';
import { makeNode, type Attribute, type Graph } from '../graph/graph.js';
import { differenceOf, runGraphBoth } from '../testing/as-onnxruntime.js';
import { makeGraph, numbers } from '../testing/run-program.js';

const gatesOf = { LSTM: 4, GRU: 3, RNN: 1 } as const;
type Layer = keyof typeof gatesOf;

interface Form {
  layer: Layer;
  attributes?: Record<string, Attribute>;
  hidden?: number;
  directions?: 1 | 2;
  bias?: boolean;
  states?: boolean;
  outputs?: string[];
}

const texts = (...value: string[]): Attribute => ({ kind: 'strings', value });
const reals = (...value: number[]): Attribute => ({ kind: 'floats', value });
const text = (value: string): Attribute => ({ kind: 'string', value });
const int = (value: number): Attribute => ({ kind: 'int', value });

/** X [3, batch, 5] through a layer of constant weights. */
function graphOf(form: Form): Graph {
  const { layer, hidden = 6, directions = 1, bias = true, states = false } = form;
  const width = gatesOf[layer] * hidden;
  const isLstm = layer === 'LSTM';
  const outputs = form.outputs ?? (isLstm ? ['y', 'h', 'c'] : ['y', 'h']);
  const weights = (dims: number[], seed: number): Constant =>
    floatConstant(
      dims,
      numbers(
        dims.reduce((a, b) => a * b),
        seed,
      ),
    );
  const stateNames = states ? ['h0', ...(isLstm ? ['c0'] : [])] : [];
  const inputs = ['x', 'w', 'r', bias ? 'b' : '', '', ...stateNames];
  const dims = [directions, 'batch', hidden];
  return makeGraph({
    inputs: [
      { name: 'x', dtype: 'float32', dims: [3, 'batch', 5] },
      ...stateNames.map((name) => ({ name, dtype: 'float32' as const, dims })),
    ],
    outputs: outputs
      .filter((name) => name !== '')
      .map((name) => ({ name, dtype: 'float32', dims: undefined })),
    nodes: [
      makeNode(layer, 'layer', inputs, outputs, {
        hidden_size: int(hidden),
        ...(directions === 2 && { direction: text('bidirectional') }),
        ...form.attributes,
      }),
    ],
    constants: {
      w: weights([directions, width, 5], 1),
      r: weights([directions, width, hidden], 2),
      ...(bias && { b: weights([directions, 2 * width], 3) }),
    },
  });
}

const activations: [names: string[], alpha: number[], beta: number[]][] = [
  [['Relu', 'Tanh', 'Affine'], [0.7], [0.1]],
  [
    ['HardSigmoid', 'Softsign', 'ScaledTanh'],
    [0.3, 1.2],
    [0.4, 0.8],
  ],
  [['Sigmoid', 'LeakyRelu', 'Elu'], [0.2, 0.5], []],
  [['tanh', 'ThresholdedRelu', 'Softplus'], [0.1], []],
];

describe('recurrent layers', () => {
  it.each<[string, Form]>([
    ...(['LSTM', 'GRU', 'RNN'] as const).flatMap((layer): [string, Form][] => [
      [layer, { layer }],
      [`${layer} of 20`, { layer, hidden: 20, bias: false }],
      [`${layer} in both directions`, { layer, directions: 2, states: true }],
      [`${layer}, the last state alone`, { layer, outputs: ['', 'h'] }],
      [`${layer}, all states alone`, { layer, directions: 2, outputs: ['y'] }],
    ]),
    ['GRU that resets behind', { layer: 'GRU', attributes: { linear_before_reset: int(1) } }],
    [
      'RNN with two functions',
      {
        layer: 'RNN',
        directions: 2,
        attributes: {
          activations: texts('Affine', 'ScaledTanh'),
          activation_alpha: reals(0.5, 1.5),
          activation_beta: reals(0.1, 0.6),
        },
      },
    ],
    ...activations.map(([names, alpha, beta]): [string, Form] => [
      `LSTM with ${names.join()}`,
      {
        layer: 'LSTM',
        attributes: {
          activations: texts(...names),
          ...(alpha.length > 0 && { activation_alpha: reals(...alpha) }),
          ...(beta.length > 0 && { activation_beta: reals(...beta) }),
        },
      },
    ]),
  ])('%s: as onnxruntime', async (_, form) => {
    const compared = await runGraphBoth(graphOf(form), { batch: 2 });
    expect(differenceOf(compared)).toBeLessThan(1e-5);
  });
});
