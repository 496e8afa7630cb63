import { elementCount, packedChannels, panelChannels } from '@canopy/protocol';
import { readFloats } from '../graph/constant.js';
import { weightBytes, type Weight } from '../graph/program.js';
import { int8Scales, packIntegers } from './integer-weights.js';
import { TileReader, type StoredMatrix } from './tile.js';

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
  const fullBytes = k * panelChannels * 4;
  let first = Math.floor(start / fullBytes) * panelChannels;
  for (; first < n; first += panelChannels) {
    const position = (first / panelChannels) * fullBytes;
    if (position >= end) break;
    const channels = Math.min(panelChannels, n - first);
    panels.push({ first, channels, width: packedChannels(channels), position });
  }
  return panels;
}

/** A matrix in panels: some columns of a stored one, its rows in another order. */
interface PanelMatrix {
  stored: StoredMatrix;
  /** The first of its columns, and how many there are. */
  base: number;
  columns: number;
  /** Factor of each column of the stored matrix. */
  scale: Float32Array | undefined;
  /** Which row of the stored matrix lies in row `index` of a panel; the same where left out. */
  rowAt?: (index: number) => number;
}

/** Packs bytes `[start, end)` of a matrix into `target`; only the rows of panels that they hold. */
function packPanels(
  target: Uint8Array,
  start: number,
  end: number,
  { stored, base, columns, scale, rowAt }: PanelMatrix,
  tiles: TileReader,
): void {
  const { k } = stored;
  for (const { first, channels, width, position } of panelsWithin(k, columns, start, end)) {
    const rowBytes = width * 4;
    const top = Math.max(0, Math.floor((start - position) / rowBytes));
    const bottom = Math.min(k, Math.ceil((end - position) / rowBytes));
    if (top >= bottom) continue;
    const left = base + first;
    const tile = tiles.read(stored, { top: 0, bottom: k, left, right: left + channels });
    const { values, columnStep } = tile;
    const panel = new Float32Array((bottom - top) * width);
    for (let row = top, to = 0; row < bottom; row++, to += width) {
      let from = tile.at(rowAt ? rowAt(row) : row, left);
      for (let lane = 0; lane < channels; lane++, from += columnStep) {
        panel[to + lane] = values[from]!;
      }
    }
    if (scale) {
      for (let at = 0; at < panel.length; at++) {
        const lane = at % width;
        if (lane < channels) panel[at]! *= scale[left + lane]!;
      }
    }
    copyOverlap(target, start, end, bytesOf(panel), position + top * rowBytes);
  }
}

/**
 * Bytes `[start, end)` of a weight as they lie in a shard. Of a matrix only what overlaps the range is
 * read and packed.
 *
 * @param tiles where they are kept, ranges asked for one after the other read nothing twice
 */
export function packedBytes(
  weight: Weight,
  start: number,
  end: number,
  tiles = new TileReader(),
): Uint8Array {
  const target = new Uint8Array(end - start);
  switch (weight.kind) {
    case 'plain':
      return weight.constant.read(start, end - start);
    case 'matrix': {
      const { n: columns, scale } = weight;
      packPanels(target, start, end, { stored: weight, base: 0, columns, scale }, tiles);
      return target;
    }
    case 'int8':
    case 'int4':
      packIntegers(target, start, end, weight, tiles);
      return target;
    case 'int8-scales':
      return bytesOf(int8Scales(weight.matrix)).subarray(start, end);
    case 'filter': {
      const { constant, group, scale } = weight;
      const [outChannels = 0, inChannels = 0, height = 1, width = 1] = constant.dims;
      const perGroup = outChannels / group;
      const pixels = height * width;
      const k = inChannels * pixels;
      const stored: StoredMatrix = { constant, k, n: outChannels, transposed: true };
      // Stored (inC, kernelH, kernelW), wanted (kernelH, kernelW, inC).
      const rowAt = (index: number): number =>
        (index % inChannels) * pixels + Math.floor(index / inChannels);
      const groupBytes = weightBytes(weight) / group;
      for (let index = 0; index < group; index++) {
        const position = index * groupBytes;
        const from = Math.max(start, position);
        const to = Math.min(end, position + groupBytes);
        if (from >= to) continue;
        const part = target.subarray(from - start, to - start);
        const matrix = { stored, base: index * perGroup, columns: perGroup, scale, rowAt };
        packPanels(part, from - position, to - position, matrix, tiles);
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
