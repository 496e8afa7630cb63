import { elementCount, type GateFunction, type RecurrentCellName } from '@canopy/protocol';
import { linearBytes } from '../cost/memory/blocks.js';
import { linearWork } from '../cost/work/linear.js';
import { plainWork, times, type Work } from '../cost/work/work.js';
import { floatAttribute, type GraphNode, intAttribute, stringAttribute } from '../graph/graph.js';
import { type Constant, partOf } from '../graph/constant.js';
import { Compute } from '../graph/lower/compute.js';
import { gateFunctions } from '../graph/lower/gate-functions.js';
import { epilogue, type Lower, type Lowering, UnsupportedNode } from '../graph/lower/lowering.js';
import { along, none } from '../graph/rows/rows.js';
import { type RowRule, sameRows } from '../graph/rows/rule.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Facts } from '../graph/shapes/facts.js';
import type { Rule } from '../graph/shapes/operation.js';
import type { ModelOperator, NodeAt, OperatorFamily } from './operator.js';

/** Instructions beside products: of a step, a row, a number of its gates, and of an LSTM's memory. */
const stepCost = 900;
const rowCost = 1000;
const numberCost = 31;
const memoryCost = 20;
/** Of a number of a state that is rounded to 8 bits. */
const roundingCost = 16;

/** A kind of layer: how many gates it has, and their functions where the node names none. */
interface Kind {
  gates: number;
  functions: readonly string[];
  cell: (node: GraphNode) => RecurrentCellName;
}

const rnn: Kind = { gates: 1, functions: ['Tanh'], cell: () => 'rnn' };
const gru: Kind = {
  gates: 3,
  functions: ['Sigmoid', 'Tanh'],
  cell: (node) => (intAttribute(node, 'linear_before_reset', 0) === 0 ? 'gru' : 'gruResetAfter'),
};
const lstm: Kind = {
  gates: 4,
  functions: ['Sigmoid', 'Tanh', 'Tanh'],
  cell: (node) => (intAttribute(node, 'input_forget', 0) === 0 ? 'lstm' : 'lstmCoupled'),
};

/** X [seq, batch, input], or [batch, seq, input] where `layout` is 1. Outputs: Y, Y_h, Y_c. */
function shapeOf({ gates }: Kind): Rule {
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

/** Makes the nodes of one direction of a layer. */
class Direction {
  private readonly input: (index: number) => string;

  /**
   * @param x [steps, batch, input]
   * @param index of the direction among `count`
   */
  constructor(
    private readonly node: GraphNode,
    private readonly to: Lowering,
    private readonly x: string,
    private readonly index: number,
    private readonly count: number,
    private readonly gates: number,
    private readonly hidden: number,
  ) {
    this.input = (index) => node.inputs[index] ?? '';
  }

  private get width(): number {
    return this.gates * this.hidden;
  }
  private bound(value: number): string {
    return this.to.ints(`${this.node.name}/bound`, [value]);
  }

  /** The direction's part of an input [directions, ..], `''` where that is left out. */
  part(input: number): string {
    const { node, to, index, count } = this;
    const name = this.input(input);
    if (name === '' || count === 1) return name;
    const constant = to.constant(name);
    const dims = to.dims(name).with(0, 1);
    if (constant) {
      const own = [1, ...constant.dims.slice(1)];
      const start = index * elementCount(own);
      return to.weight(`${name}/part`, { kind: 'plain', constant: partOf(constant, own, start) });
    }
    const result = to.temporary(`${name}/part`, to.dtype(name), dims);
    const bounds = [index, index + 1, 0].map((value) => this.bound(value));
    to.add('Slice', node, [name, ...bounds], [result], {});
    return result;
  }

  /** The bias of the inputs' product or (`second`) of the states', [gates * hidden]. */
  private bias(second: boolean): string {
    const { node, to, width } = this;
    const own = this.part(3);
    if (own === '') return '';
    const start = second ? width : 0;
    const constant = to.constant(own);
    if (constant) {
      return to.weight(`${own}/half`, {
        kind: 'plain',
        constant: partOf(constant, [width], start),
      });
    }
    const [half, flat] = [[1, width], [width]].map((dims) =>
      to.temporary(`${own}/half`, 'float32', dims),
    ) as [string, string];
    const bounds = [start, start + width, 1].map((value) => this.bound(value));
    to.add('Slice', node, [own, ...bounds], [half], {});
    to.add('Squeeze', node, [half, this.bound(0)], [flat], {});
    return flat;
  }

  /** The product of the inputs of all steps, with its bias. */
  projected(): string {
    const { node, to, x, width } = this;
    const dims = to.dims(x).with(2, width);
    const bias = this.bias(false);
    const matrix = this.part(1);
    const values = to.constantFloats(bias);
    const result = to.temporary(`${node.name}/projected`, 'float32', dims);
    const constant = to.constant(matrix);
    if (constant) {
      const k = constant.dims[2]!;
      const weight = this.matrix(matrix, constant, 0, width, k);
      const inKernel = to.weight(`${node.name}/bias`, {
        kind: 'bias',
        values: values ?? new Float32Array(width),
        group: 1,
      });
      const attributes = { k, n: width, epilogue: epilogue() };
      to.add('Linear', node, [x, weight, inKernel], [result], attributes);
      if (bias === '' || values) return result;
    } else {
      const flat = to.temporary(`${matrix}/flat`, 'float32', to.dims(matrix).slice(1));
      to.add('Squeeze', node, [matrix, this.bound(0)], [flat], {});
      to.add('MatMul', node, [x, flat], [result], { transA: false, transB: true, alpha: 1 });
      if (bias === '') return result;
    }
    return new Compute(node, to).binary('add', result, bias);
  }

  /** Rows `[from, to)` of a matrix [1, n, k], packed for a product. */
  private matrix(name: string, constant: Constant, from: number, end: number, k: number): string {
    return this.to.weight(name, {
      kind: 'matrix',
      constant: partOf(constant, [end - from, k], from * k),
      k,
      n: end - from,
      transposed: true,
      scale: undefined,
    });
  }

  /** The matrix of the states, in two parts of a GRU that resets before the product. */
  states(cell: RecurrentCellName): { packed: boolean; matrices: [string, string] } {
    const { to, hidden, width } = this;
    const own = this.part(2);
    const constant = to.constant(own);
    if (!constant) return { packed: false, matrices: [own, ''] };
    const first = cell === 'gru' ? 2 * hidden : width;
    const matrices: [string, string] = [
      this.matrix(own, constant, 0, first, hidden),
      first < width ? this.matrix(own, constant, first, width, hidden) : '',
    ];
    return { packed: true, matrices };
  }

  stateBias(): string {
    return this.bias(true);
  }
}

/** Size of the state, which kernels have to know. */
export function hiddenSize(node: GraphNode, to: Lowering): number {
  const hidden = intAttribute(node, 'hidden_size', 0) || to.dims(node.inputs[2]!)[2];
  if (typeof hidden === 'number' && hidden > 0) return hidden;
  throw new UnsupportedNode('has a state of open size', 'give hidden_size when exporting');
}

/** The value with its first two dimensions exchanged where a layer is batch first. */
function batchSecond(node: GraphNode, to: Lowering, name: string): string {
  if (name === '' || intAttribute(node, 'layout', 0) === 0) return name;
  return new Compute(node, to).transpose(name, [1, 0, 2]);
}

function lower(kind: Kind): Lower {
  return (node, to) => {
    const { gates, functions } = kind;
    const direction = stringAttribute(node, 'direction', 'forward');
    const count = direction === 'bidirectional' ? 2 : 1;
    const hidden = hiddenSize(node, to);
    const all = gateFunctions(node, count, functions);
    const inputs = node.inputs.map((name, index) =>
      [0, 5, 6].includes(index) ? batchSecond(node, to, name) : name,
    );
    const from = { ...node, inputs };
    const x = inputs[0]!;
    const [steps, batch] = to.dims(x) as [Dim, Dim, Dim];
    const cell = kind.cell(node);
    const wantsAll = (node.outputs[0] ?? '') !== '';
    const states = gates === 4 ? 2 : 1;

    const results = Array.from({ length: count }, (_, index) => {
      const own = new Direction(from, to, x, index, count, gates, hidden);
      const { packed, matrices } = own.states(cell);
      const used = all.slice(index * functions.length, (index + 1) * functions.length);
      const [gate, candidate = gate, result = gate] = used as [GateFunction, ...GateFunction[]];
      const named = (output: number, dims: Dim[]): string =>
        to.temporary(`${node.name}/${['all', 'state', 'memory'][output]}`, 'float32', dims);
      const outputs = [
        ...(wantsAll ? [named(0, [steps, 1, batch, hidden])] : []),
        ...[1, 2].slice(0, states).map((output) => named(output, [1, batch, hidden])),
      ];
      const given = [
        ...[own.projected(), ...matrices, own.stateBias()],
        ...[own.part(5), gates === 4 ? own.part(6) : '', node.inputs[4] ?? ''],
        gates === 4 ? own.part(7) : '',
      ];
      while (given.at(-1) === '') given.pop();
      to.add('Recurrent', node, given, outputs, {
        ...{ cell, hidden, packed, gate, candidate, result },
        reverse: direction === 'reverse' || index === 1,
        all: wantsAll,
        clip: floatAttribute(node, 'clip', 0),
      });
      return wantsAll ? outputs : ['', ...outputs];
    });
    for (const [output, name] of node.outputs.entries()) {
      if (name !== '')
        giveOut(
          node,
          to,
          output,
          name,
          results.map((own) => own[output]!),
        );
    }
  };
}

/** A result of all directions, one behind the other, in the layout of the layer. */
export function giveOut(
  node: GraphNode,
  to: Lowering,
  output: number,
  name: string,
  parts: string[],
): void {
  const axis = output === 0 ? 1 : 0;
  const isBatchFirst = intAttribute(node, 'layout', 0) === 1;
  const dims = to.dims(parts[0]!).with(axis, parts.length);
  const whole = isBatchFirst ? to.temporary(`${name}/steps`, 'float32', dims) : name;
  if (parts.length === 1) to.add('Identity', node, parts, [whole], {});
  else to.add('Concat', node, parts, [whole], { axis });
  if (!isBatchFirst) return;
  const permutation = output === 0 ? [2, 0, 1, 3] : [1, 0, 2];
  to.add('Transpose', node, [whole], [name], { permutation });
}

/** Rows are the batch: of the inputs' product, the states and the lengths alike. */
const rows: RowRule<'Recurrent'> = ({ inputs, has, outputIndex, attributes }) => {
  const [given = none] = inputs;
  if (inputs.every(({ kind }) => kind === 'none')) return none;
  // States that are rounded share a scale.
  if (given.kind !== 'along' || given.axis !== 1 || has(8)) return undefined;
  const batchAxes: [input: number, axis: number][] = [
    [4, 1],
    [5, 1],
    [6, 0],
  ];
  for (const [input, axis] of batchAxes) {
    if (!has(input)) continue;
    const own = inputs[input]!;
    if (own.kind !== 'along' || !sameRows(own, { ...given, axis })) return undefined;
  }
  if ([1, 2, 3, 7, 8].some((input) => (inputs[input] ?? none).kind !== 'none')) return undefined;
  return along(attributes.all && outputIndex === 0 ? 2 : 1, given.outer, given.inner);
};

/** Columns of the products of a step: of a GRU that resets first there are two. */
function products({ attributes, inputs }: NodeAt<'Recurrent'>): number[] {
  const width = inputs[0]![2]!;
  const { cell, hidden } = attributes;
  return cell === 'gru' ? [2 * hidden, hidden] : [width];
}

/** Whether states are rounded to 8 bits: their scales are there. */
function roundsStates({ inputs }: NodeAt<'Recurrent'>): boolean {
  return (inputs[8]?.length ?? 0) > 0;
}

function work(node: NodeAt<'Recurrent'>): Work[] {
  const [steps, batch, width] = node.inputs[0] as [number, number, number];
  const { hidden, packed } = node.attributes;
  const memory = width === 4 * hidden ? hidden * memoryCost : 0;
  const matrices = products(node).flatMap((n) => times(linearWork(batch, hidden, n), steps));
  const own = steps * (stepCost + batch * (rowCost + width * numberCost + memory));
  const packing = packed ? 0 : width * hidden * 4;
  const rounding = roundsStates(node) ? steps * batch * hidden * roundingCost : 0;
  return [...matrices, ...plainWork(own + packing + rounding)];
}

function model(kind: Kind): ModelOperator {
  return { shape: shapeOf(kind), lower: lower(kind), types: ['float32'] };
}

export const recurrentFamily: OperatorFamily = {
  model: { LSTM: model(lstm), GRU: model(gru), RNN: model(rnn) },
  program: {
    Recurrent: {
      rows,
      work,
      multiplyAdds: ({ attributes, inputs }) => elementCount(inputs[0]!) * attributes.hidden,
      temporaries: (node) => {
        const [, batch, width] = node.inputs[0] as [number, number, number];
        const { hidden, packed } = node.attributes;
        const integers = roundsStates(node) ? (batch * hidden + 1) * 4 : 0;
        const scratch = products(node).flatMap((n) => linearBytes(batch, hidden, n));
        return [
          Math.max(batch * 64, ...scratch),
          width * 4 + 64,
          ...(packed ? [] : [(width + 3) * hidden * 4]),
          batch * (width + hidden) * 4 + integers,
        ];
      },
    },
  },
};
