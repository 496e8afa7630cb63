import { elementCount, packedChannels, panelChannels } from '@canopy/protocol';
import { readFloats, type Constant } from '../graph/constant.js';
import { weightBytes, type Weight } from '../graph/program.js';
import { int8Scales, packIntegers } from './integer-weights.js';

/** Copies `[start, end)` of `source`, whose first byte is at `position`, to its place in `target`. */
function copyOverlap(
  target: Uint8Array,
  start: number,
  end: number,
  source: Uint8Array,
  position: number,
): void {
  const from = Math.max(start, position);
  const to = Math.min(end, position + source.length);
  if (from < to) target.set(source.subarray(from - position, to - position), from - start);
}

function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

/** Columns `[first, first + channels)` of a matrix, rounded up to `width` in a panel. */
interface Panel {
  first: number;
  channels: number;
  width: number;
  /** Where its bytes begin among those of the matrix. */
  position: number;
}

/** The panels of a matrix [K, N] that overlap bytes `[start, end)`. */
function panelsWithin(k: number, n: number, start: number, end: number): Panel[] {
  const panels: Panel[] = [];
  let position = 0;
  for (let first = 0; first < n && position < end; first += panelChannels) {
    const channels = Math.min(panelChannels, n - first);
    const width = packedChannels(channels);
    if (position + k * width * 4 > start) panels.push({ first, channels, width, position });
    position += k * width * 4;
  }
  return panels;
}

/** Reads columns `[first, first + count)` of a matrix stored [K, N], as [K, count]. */
function readColumns(
  constant: Constant,
  k: number,
  n: number,
  first: number,
  count: number,
): Float32Array {
  if (count === n) return readFloats(constant, 0, k * n);
  const block = new Float32Array(k * count);
  for (let row = 0; row < k; row++) {
    block.set(readFloats(constant, row * n + first, count), row * count);
  }
  return block;
}

/** Packs bytes `[start, end)` of a matrix stored [K, N] into `target`. */
function packRows(
  target: Uint8Array,
  start: number,
  end: number,
  weight: Extract<Weight, { kind: 'matrix' }>,
): void {
  const { constant, k, n, scale } = weight;
  const panels = panelsWithin(k, n, start, end);
  const [from, last] = [panels[0], panels.at(-1)];
  if (!from || !last) return;
  const count = last.first + last.channels - from.first;
  const block = readColumns(constant, k, n, from.first, count);
  for (const { first, channels, width, position } of panels) {
    const panel = new Float32Array(k * width);
    for (let row = 0; row < k; row++) {
      const at = row * count + first - from.first;
      for (let lane = 0; lane < channels; lane++) {
        panel[row * width + lane] = block[at + lane]! * (scale?.[first + lane] ?? 1);
      }
    }
    copyOverlap(target, start, end, bytesOf(panel), position);
  }
}

/**
 * Packs bytes `[start, end)` of a matrix of which each column lies together, `k` numbers beginning at
 * `(base + column) * k`; `place` says in which row a number goes.
 */
function packColumns(
  target: Uint8Array,
  start: number,
  end: number,
  constant: Constant,
  k: number,
  n: number,
  base: number,
  scale: Float32Array | undefined,
  place: (index: number) => number,
): void {
  for (const { first, channels, width, position } of panelsWithin(k, n, start, end)) {
    const panel = new Float32Array(k * width);
    const columns = readFloats(constant, (base + first) * k, channels * k);
    for (let lane = 0; lane < channels; lane++) {
      const factor = scale?.[base + first + lane] ?? 1;
      for (let index = 0; index < k; index++) {
        panel[place(index) * width + lane] = columns[lane * k + index]! * factor;
      }
    }
    copyOverlap(target, start, end, bytesOf(panel), position);
  }
}

/**
 * Bytes `[start, end)` of a weight as they lie in a shard. Only the panels that overlap the range
 * are read and packed.
 */
export function packedBytes(weight: Weight, start: number, end: number): Uint8Array {
  const target = new Uint8Array(end - start);
  switch (weight.kind) {
    case 'plain':
      return weight.constant.read(start, end - start);
    case 'matrix': {
      const { constant, k, n, transposed, scale } = weight;
      if (!transposed) packRows(target, start, end, weight);
      else packColumns(target, start, end, constant, k, n, 0, scale, (index) => index);
      return target;
    }
    case 'int8':
    case 'int4':
      packIntegers(target, start, end, weight);
      return target;
    case 'int8-scales':
      return bytesOf(int8Scales(weight.matrix)).subarray(start, end);
    case 'filter': {
      const { constant, group, scale } = weight;
      const [outChannels = 0, inChannels = 0, height = 1, width = 1] = constant.dims;
      const perGroup = outChannels / group;
      const pixels = height * width;
      const k = inChannels * pixels;
      // Stored (inC, kernelH, kernelW), wanted (kernelH, kernelW, inC).
      const place = (index: number): number =>
        (index % pixels) * inChannels + Math.floor(index / pixels);
      const groupBytes = weightBytes(weight) / group;
      for (let index = 0; index < group; index++) {
        const position = index * groupBytes;
        const from = Math.max(start, position);
        const to = Math.min(end, position + groupBytes);
        if (from >= to) continue;
        const part = target.subarray(from - start, to - start);
        const base = index * perGroup;
        packColumns(
          part,
          from - position,
          to - position,
          constant,
          k,
          perGroup,
          base,
          scale,
          place,
        );
      }
      return target;
    }
    case 'depthwise': {
      const { constant, scale } = weight;
      const [channels = 0, , height = 1, width = 1] = constant.dims;
      const pixels = height * width;
      const stride = packedChannels(channels);
      const source = readFloats(constant, 0, elementCount(constant.dims));
      const packed = new Float32Array(pixels * stride);
      for (let channel = 0; channel < channels; channel++) {
        for (let pixel = 0; pixel < pixels; pixel++) {
          packed[pixel * stride + channel] =
            source[channel * pixels + pixel]! * (scale?.[channel] ?? 1);
        }
      }
      return bytesOf(packed).subarray(start, end);
    }
    case 'bias': {
      const { values, group } = weight;
      const perGroup = values.length / group;
      const stride = packedChannels(perGroup);
      const packed = new Float32Array(group * stride);
      values.forEach((value, index) => {
        packed[Math.floor(index / perGroup) * stride + (index % perGroup)] = value;
      });
      return bytesOf(packed).subarray(start, end);
    }
  }
}
