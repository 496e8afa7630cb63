import type { DTypeName } from '@canopy/protocol';
import { type GraphNode, intAttribute } from '../graph/graph.js';
import { epilogue, type Lower, type Lowering } from '../graph/lower/lowering.js';
import type { Dim } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { readDType } from '../onnx/read-tensor.js';
import type { ModelOperator, OperatorFamily } from './operator.js';

const float32Code = 1;

function typeOf(node: GraphNode): DTypeName {
  const code = intAttribute(node, 'output_datatype', float32Code);
  return readDType(code, node.op, node.name);
}

const shape: Rule = (op) => [
  { dtype: typeOf(op.node), dims: [op.facts(0).values?.[0] ?? op.open(0, 0)] },
];

/** first - second * cos(angle) + third * cos(2 * angle), the angle once round along the window. */
function window(first: number, second: number, third: number): ModelOperator {
  const lower: Lower = (node, to) => {
    const size = node.inputs[0]!;
    const output = node.outputs[0]!;
    const dims = to.dims(output);
    const scalar: readonly Dim[] = [];
    const count = to.asInt64(node, size);
    const whole = (name: string, value: number): string =>
      to.numbers(`${node.name}/${name}`, 'int64', [], [value]);
    const places = to.temporary(`${node.name}/places`, 'int64', dims);
    to.add('Range', node, [whole('start', 0), count, whole('step', 1)], [places], {});
    let round = count;
    if (intAttribute(node, 'periodic', 1) === 0) {
      round = to.temporary(`${node.name}/round`, 'int64', scalar);
      const operands = [count, whole('one', 1)];
      to.add('Binary', node, operands, [round], { kind: 'sub', epilogue: epilogue() });
    }
    const real = (value: string): string => {
      const cast = to.temporary(`${value}/float64`, 'float64', to.dims(value));
      to.add('Cast', node, [value], [cast], { to: 'float64' });
      return cast;
    };
    const part = binary(node, to, 'div', real(places), real(round), dims);
    const wave = (times: number, factor: number): string => {
      const angle = binary(node, to, 'mul', part, constant(node, to, 2 * Math.PI * times), dims);
      const cosine = to.temporary(`${node.name}/cosine`, 'float64', dims);
      to.add('Unary', node, [angle], [cosine], { kind: 'cos', alpha: 0, beta: 0 });
      return binary(node, to, 'mul', cosine, constant(node, to, factor), dims);
    };
    let sum = binary(node, to, 'add', wave(1, -second), constant(node, to, first), dims);
    if (third !== 0) sum = binary(node, to, 'add', sum, wave(2, third), dims);
    to.add('Cast', node, [sum], [output], { to: to.dtype(output) });
  };
  return { shape, lower, types: ['int32', 'int64'] };
}

function constant(node: GraphNode, to: Lowering, value: number): string {
  return to.numbers(`${node.name}/constant`, 'float64', [], [value]);
}

function binary(
  node: GraphNode,
  to: Lowering,
  kind: 'add' | 'mul' | 'div',
  left: string,
  right: string,
  dims: readonly Dim[],
): string {
  const result = to.temporary(`${node.name}/${kind}`, 'float64', dims);
  to.add('Binary', node, [left, right], [result], { kind, epilogue: epilogue() });
  return result;
}

export const signalWindowsFamily: OperatorFamily = {
  model: {
    BlackmanWindow: window(0.42, 0.5, 0.08),
    HammingWindow: window(25 / 46, 21 / 46, 0),
    HannWindow: window(0.5, 0.5, 0),
  },
  program: {},
};
