import { dtypeBytes, elementCount } from '@canopy/protocol';
import { allFloats, constantBytes, type Constant } from './constant.js';
import { intAttribute, type Graph, type GraphNode } from './graph.js';
import { widenedConstant } from './lower/widen-constant.js';

/** ONNX's number of float32, as Cast names it. */
const float32Type = 1;
/** Integers that weights are stored in. */
const readers = {
  int8: (bytes: Uint8Array) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length),
  uint8: (bytes: Uint8Array) => bytes,
} as const;

function isStoredInteger(dtype: string): dtype is keyof typeof readers {
  return dtype in readers;
}

/**
 * Integers times a scale, as DequantizeLinear has them: one scale and zero point, or one for each
 * index of an axis. Undefined for other forms.
 */
function dequantized(node: GraphNode, constants: Graph['constants']): Constant | undefined {
  const [stored, scaleConstant, zeroConstant] = node.inputs.map((name) => constants.get(name));
  if (!stored || !isStoredInteger(stored.dtype) || scaleConstant?.dtype !== 'float32')
    return undefined;
  if (intAttribute(node, 'block_size', 0) !== 0) return undefined;
  const { dims } = stored;
  const read = readers[stored.dtype];
  const scales = allFloats(scaleConstant);
  const zeros = zeroConstant
    ? read(zeroConstant.read(0, constantBytes(zeroConstant)))
    : new Int8Array(scales.length);
  const axis = intAttribute(node, 'axis', 1);
  const at = axis < 0 ? axis + dims.length : axis;
  const count = scales.length === 1 && scaleConstant.dims.length <= 1 ? 1 : (dims[at] ?? 0);
  if (scales.length !== count || zeros.length !== count || scaleConstant.dims.length > 1) {
    return undefined;
  }
  const inner = count === 1 ? elementCount(dims) : elementCount(dims.slice(at + 1));
  return {
    dtype: 'float32',
    dims,
    read: (start, length) => {
      const first = Math.floor(start / 4);
      const end = Math.ceil((start + length) / 4);
      const integers = read(stored.read(first, end - first));
      const out = new Float32Array(end - first);
      for (let index = 0; index < out.length; index++) {
        const channel = Math.floor((first + index) / inner) % count;
        out[index] = (integers[index]! - zeros[channel]!) * scales[channel]!;
      }
      return new Uint8Array(out.buffer, start - first * 4, length);
    },
  };
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
