import { rowGroups } from './blocks.js';
import { packedChannels } from './packing.js';

/**
 * How integer weights lie in a shard so that kernels read them from front to back.
 *
 * A matrix [K, N] is cut along K into pieces of {@link integerPiece}; the last piece is rounded up to
 * {@link int8DepthUnit} or {@link int4Block} (zeros fill it). A piece holds, for each four output
 * channels after the other (the last four filled up with zeros), all it has of them:
 *
 * - int8: for each pair of the depth 8 bytes, two of each channel.
 * - int4: for each block of {@link int4Block} of the depth four vectors of 16 bytes, then four f32 scales.
 *   A vector has 8 of the depth: bits 4i to 4i+3 of its 16-bit lane 2c+j are the weight of channel c at
 *   depth 2i+j, plus 8.
 *
 * What they stand for: int8 `w * scale[channel]`, int4 `w * scale[block][channel]`.
 */
export const integerPiece = 256;

/** Depths of int8 weights are rounded up to a multiple of this. */
export const int8DepthUnit = 16;

/** Depth over which int4 weights share a scale; depths are rounded up to a multiple of it. */
export const int4Block = 32;

/** Bytes of an int4 block for four channels: weights and scales. */
export const int4BlockBytes = 80;

/**
 * Depth over which int8 products are added in 32 bits; deeper sums go on in f32. At most 2^31 - 1 over
 * 128 times this is what an activation may be, see {@link activationRange}.
 */
export const integerSumDepth = 4096;

/**
 * Weights up to which integer filters of one channel each have a kernel of their own: they are laid out for it
 * without a look at the instruction counter.
 */
export const mostDepthwiseWeights = 1 << 17;

/** Largest absolute value of the 16-bit activations, so that no 32-bit sum of int8 products overflows. */
export function activationRange(depth: number): number {
  const most = Math.floor((2 ** 31 - 1) / (128 * Math.min(Math.max(depth, 1), integerSumDepth)));
  return Math.min(32767, most);
}

/**
 * Numbers of rows that kernels of integer weights are compiled for, and the depths of each, which cut a
 * piece: the greatest first, as often as it fits. Kernels hold the activations of all their rows.
 */
export const integerKernels = {
  int8: { 1: [256, 64, 16], 4: [128, 64, 16], 8: [128, 64, 16], 16: [64, 16] },
  int4: { 1: [256, 64, 32], 4: [128, 32], 8: [128, 32], 16: [128, 32] },
} as const satisfies Record<string, Record<number, readonly number[]>>;

export type IntegerType = keyof typeof integerKernels;

/** Into which numbers of rows a kernel takes `rows`, and how often each: the greatest first. */
export function integerRowGroups(
  type: IntegerType,
  rows: number,
): { rows: number; times: number }[] {
  return rowGroups(integerKernels[type], rows);
}

/** Depth rounded up to what kernels take. */
export function paddedDepth(depth: number, unit: number): number {
  return Math.ceil(depth / unit) * unit;
}

/** Bytes of a packed int8 matrix [K, N]. */
export function int8MatrixBytes(k: number, n: number): number {
  return paddedDepth(k, int8DepthUnit) * packedChannels(n);
}

/** Bytes of a packed int4 matrix [K, N], scales included. */
export function int4MatrixBytes(k: number, n: number): number {
  return ((paddedDepth(k, int4Block) / int4Block) * int4BlockBytes * packedChannels(n)) / 4;
}

/** Packs `get(k, n)`, integers from -128 to 127, for 0 <= k < K, 0 <= n < N. */
export function packInt8(k: number, n: number, get: (k: number, n: number) => number): Int8Array {
  const out = new Int8Array(int8MatrixBytes(k, n));
  const depth = paddedDepth(k, int8DepthUnit);
  let at = 0;
  for (let first = 0; first < depth; first += integerPiece) {
    const end = Math.min(first + integerPiece, depth);
    for (let channel = 0; channel < n; channel += 4) {
      for (let pair = first; pair < end; pair += 2) {
        for (let i = 0; i < 8; i++, at++) {
          const [row, column] = [pair + (i & 1), channel + (i >> 1)];
          if (row < k && column < n) out[at] = get(row, column);
        }
      }
    }
  }
  return out;
}

/**
 * Packs `get(k, n)`, integers from -8 to 7, and `scale(block, n)` of the blocks of {@link int4Block}
 * along K, for 0 <= k < K, 0 <= n < N.
 */
export function packInt4(
  k: number,
  n: number,
  get: (k: number, n: number) => number,
  scale: (block: number, n: number) => number,
): Uint8Array {
  const out = new Uint8Array(int4MatrixBytes(k, n));
  const view = new DataView(out.buffer);
  const depth = paddedDepth(k, int4Block);
  let at = 0;
  for (let first = 0; first < depth; first += integerPiece) {
    const end = Math.min(first + integerPiece, depth);
    for (let channel = 0; channel < n; channel += 4) {
      for (let block = first; block < end; block += int4Block) {
        for (let row = block; row < block + int4Block; row += 8) {
          for (let lane = 0; lane < 8; lane++, at += 2) {
            const column = channel + (lane >> 1);
            let bits = 0;
            for (let i = 0; i < 4; i++) {
              const some = row + 2 * i + (lane & 1);
              bits |= ((some < k && column < n ? get(some, column) : 0) + 8) << (4 * i);
            }
            view.setUint16(at, bits, true);
          }
        }
        for (let c = channel; c < channel + 4; c++, at += 4) {
          view.setFloat32(at, c < n ? scale(block / int4Block, c) : 0, true);
        }
      }
    }
  }
  return out;
}
