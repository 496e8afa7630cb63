import {
  int4Block,
  int8DepthUnit,
  integerChannels,
  integerRowGroups,
  packedChannels,
  paddedDepth,
  type IntegerType,
} from '@canopy/protocol';

/** A product with integer weights: quantized rows of a group, what their units stand for, and their sums. */
export function integerBytes(
  type: IntegerType,
  rows: number,
  depth: number,
  columns: number,
): number[] {
  const most = integerRowGroups(type, rows)[0];
  if (!most || depth * columns === 0) return [];
  const padded = paddedDepth(depth, type === 'int4' ? int4Block : int8DepthUnit);
  const sums = Math.min(packedChannels(columns), integerChannels);
  return [64 + most.rows * (2 * padded + 4 * sums)];
}
