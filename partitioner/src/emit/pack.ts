import { elementCount, packedChannels, panelChannels } from '@canopy/protocol';
import { readFloats, type Constant } from '../graph/constant.js';
import { weightBytes, type Weight } from '../graph/program.js';

/** Rows read together where a panel's columns lie apart in the file. */
const rowsTogether = 512;
/** Rows wider than this are read in their needed part only. */
const wideRowElements = 4096;

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

/** Panels of a matrix [K, N] laid out as `protocol/src/packing.ts` says: calls `each` for those asked for. */
function panels(
  k: number,
  n: number,
  start: number,
  end: number,
  fill: (panel: Float32Array, width: number, first: number, channels: number) => void,
  target: Uint8Array,
): void {
  let position = 0;
  for (let first = 0; first < n && position < end; first += panelChannels) {
    const channels = Math.min(panelChannels, n - first);
    const width = packedChannels(channels);
    const bytes = k * width * 4;
    if (position + bytes > start) {
      const panel = new Float32Array(k * width);
      fill(panel, width, first, channels);
      copyOverlap(target, start, end, bytesOf(panel), position);
    }
    position += bytes;
  }
}

/** Fills a panel from a matrix stored [K, N]. */
function fillFromRows(
  constant: Constant,
  k: number,
  n: number,
  panel: Float32Array,
  width: number,
  first: number,
  channels: number,
  scale: Float32Array | undefined,
): void {
  const together = n <= wideRowElements ? rowsTogether : 1;
  for (let row = 0; row < k; row += together) {
    const rows = Math.min(together, k - row);
    const part =
      together === 1
        ? readFloats(constant, row * n + first, channels)
        : readFloats(constant, row * n, rows * n);
    for (let index = 0; index < rows; index++) {
      const from = together === 1 ? 0 : index * n + first;
      for (let lane = 0; lane < channels; lane++) {
        panel[(row + index) * width + lane] = part[from + lane]! * (scale?.[first + lane] ?? 1);
      }
    }
  }
}

/** Fills a panel from filters or a transposed matrix: for each output channel, K numbers together. */
function fillFromColumns(
  constant: Constant,
  k: number,
  firstChannel: number,
  place: (index: number) => number,
  panel: Float32Array,
  width: number,
  channels: number,
  scale: Float32Array | undefined,
): void {
  const part = readFloats(constant, firstChannel * k, channels * k);
  for (let lane = 0; lane < channels; lane++) {
    const factor = scale?.[firstChannel + lane] ?? 1;
    for (let index = 0; index < k; index++) {
      panel[place(index) * width + lane] = part[lane * k + index]! * factor;
    }
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
      panels(
        k,
        n,
        start,
        end,
        (panel, width, first, channels) => {
          if (transposed) {
            fillFromColumns(constant, k, first, (index) => index, panel, width, channels, scale);
          } else fillFromRows(constant, k, n, panel, width, first, channels, scale);
        },
        target,
      );
      return target;
    }
    case 'filter': {
      const { constant, group, scale } = weight;
      const [outChannels = 0, inChannels = 0, height = 1, width = 1] = constant.dims;
      const perGroup = outChannels / group;
      const k = inChannels * height * width;
      // Stored (inC, kernelH, kernelW), wanted (kernelH, kernelW, inC).
      const pixels = height * width;
      const place = (index: number): number =>
        (index % pixels) * inChannels + Math.floor(index / pixels);
      const groupBytes = weightBytes(weight) / group;
      for (let index = 0; index < group; index++) {
        const position = index * groupBytes;
        if (position + groupBytes <= start || position >= end) continue;
        const from = Math.max(start, position);
        const to = Math.min(end, position + groupBytes);
        panels(
          k,
          perGroup,
          from - position,
          to - position,
          (panel, panelWidth, first, channels) => {
            const firstChannel = index * perGroup + first;
            fillFromColumns(constant, k, firstChannel, place, panel, panelWidth, channels, scale);
          },
          target.subarray(from - start, to - start),
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
