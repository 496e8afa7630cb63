import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import type { Constant } from './constant.js';
import { intAttribute, type Graph, type GraphNode } from './graph.js';
import { dequantizedConstant } from './lower/dequantized-constant.js';
import { widenedConstant } from './lower/widen-constant.js';

/** ONNX's number of float32, as Cast names it. */
const float32Type = 1;
/** Integers that weights are stored in. */
const storedIntegers: readonly DTypeName[] = ['int8', 'uint8'];

/**
 * Integers times a scale, as DequantizeLinear has them: one scale and zero point, or one for each
 * index of an axis. Undefined for other forms.
 */
function dequantized(node: GraphNode, constants: Graph['constants']): Constant | undefined {
  const [stored, scale, zero] = node.inputs.map((name) => constants.get(name));
  if (!stored || !storedIntegers.includes(stored.dtype) || scale?.dtype !== 'float32')
    return undefined;
  if (!zero && (node.inputs[2] ?? '') !== '') return undefined;
  if (intAttribute(node, 'block_size', 0) !== 0) return undefined;
  const given = intAttribute(node, 'axis', 1);
  const axis = given < 0 ? given + stored.dims.length : given;
  const count = elementCount(scale.dims);
  const isSingle = count === 1 && scale.dims.length <= 1;
  if (!isSingle && (scale.dims.length !== 1 || count !== stored.dims[axis])) return undefined;
  if (zero && elementCount(zero.dims) !== count) return undefined;
  return dequantizedConstant(stored, { scale, zero, axis, block: 0 });
}

/**
 * What a node makes of constants, as a constant that is computed while it is read; undefined for what
 * has to be computed as a whole. Bits are those that onnxruntime computes.
 */
export function foldedLazily(node: GraphNode, constants: Graph['constants']): Constant | undefined {
  const source = constants.get(node.inputs[0] ?? '');
  if (!source || node.outputs.length !== 1) return undefined;
  switch (node.op) {
    case 'Identity':
      return source;
    case 'Cast': {
      const isHalf = dtypeBytes(source.dtype) === 2 && source.dtype.includes('float');
      return isHalf && intAttribute(node, 'to', 0) === float32Type
        ? widenedConstant(source)
        : undefined;
    }
    case 'DequantizeLinear':
    case 'com.microsoft.DequantizeLinear':
      return dequantized(node, constants);
    default:
      return undefined;
  }
}
