import type { DTypeName } from '@canopy/protocol';
import { readDType } from '../../../onnx/read-tensor.js';
import { rulesFor, type Operation, type Rule } from '../operation.js';

/** Type of the zero point, or of the attribute that stands for it; u8 where there is neither. */
function quantizedType(op: Operation): DTypeName {
  if (op.has(2)) return op.dtype(2);
  const code = op.int('output_dtype', 0);
  return code === 0 ? 'uint8' : readDType(code, op.node.op, op.node.name);
}

const quantize: Rule = (op) => [op.like(0, quantizedType(op))];
const dequantize: Rule = (op) => [op.like(0, op.dtype(1))];

/** Outputs: numbers, scale, zero point. */
const dynamicQuantize: Rule = (op) => [
  op.like(0, 'uint8'),
  { dtype: 'float32', dims: [] },
  { dtype: 'uint8', dims: [] },
];

/** A, its scale and zero point, B, its scale and zero point, then those of the result. */
const quantizedBinary: Rule = (op) => [{ dtype: op.dtype(0), dims: op.broadcast(0, 3) }];

export const quantization: Record<string, Rule> = {
  ...rulesFor(quantize, 'QuantizeLinear', 'com.microsoft.QuantizeLinear'),
  ...rulesFor(dequantize, 'DequantizeLinear', 'com.microsoft.DequantizeLinear'),
  DynamicQuantizeLinear: dynamicQuantize,
  ...rulesFor(quantizedBinary, 'com.microsoft.QLinearAdd', 'com.microsoft.QLinearMul'),
};
