import { dtypeBytes, elementCount } from '@canopy/protocol';
import { allInts } from '../graph/constant.js';
import type { GraphNode } from '../graph/graph.js';
import type { Lowering } from '../graph/lower/lowering.js';
import { none, uniform } from '../graph/rows/rows.js';
import { type Dim, product } from '../graph/shapes/dim.js';
import type { Rule } from '../graph/shapes/operation.js';
import { shapeFrom } from '../graph/shapes/shape-from.js';
import type { OperatorFamily } from './operator.js';

function lower(node: GraphNode, to: Lowering): void {
  const value = node.attributes.get('value');
  const constant = value?.kind === 'tensor' ? value.value : undefined;
  // Bits of the element, the lowest byte first.
  const bytes = constant ? constant.read(0, dtypeBytes(constant.dtype)) : [];
  const bits = Array.from(bytes).reduceRight((high, byte) => (high << 8n) | BigInt(byte), 0n);
  const dtype = constant?.dtype ?? 'float32';
  to.add('ConstantOfShape', node, [...node.inputs], [node.outputs[0]!], { dtype, value: bits });
}

const shape: Rule = (op) => {
  const value = op.attribute('value');
  const constant = value?.kind === 'tensor' ? value.value : undefined;
  const dims = shapeFrom(op, 0);
  const dtype = constant?.dtype ?? 'float32';
  const count = product(dims);
  const isWhole = dtype === 'int64' || dtype === 'int32';
  if (!isWhole || typeof count !== 'number' || count > 1024) return [{ dtype, dims }];
  const [number = 0] = constant ? allInts(constant) : [0];
  return [{ dtype, dims, values: Array<Dim>(count).fill(number) }];
};

export const constantOfShapeFamily: OperatorFamily = {
  model: {
    ConstantOfShape: { shape, lower, types: ['any'] },
  },
  program: {
    ConstantOfShape: {
      rows: ({ output, rows }) => uniform(output, rows) ?? none,
      sizeInputs: [0],
      work: ({ outputs }) => [{ kernel: 'fill', counts: { element: elementCount(outputs[0]!) } }],
    },
  },
};
