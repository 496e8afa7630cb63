import {
  integerChannels,
  integerPiece,
  integerRowGroups,
  paddedDepth,
  int8DepthUnit,
  type DTypeName,
} from '@canopy/protocol';
import { byteProducts } from './integer.js';
import { Counts, times, type Work } from './work.js';

/** What becomes of the sums: kernels of their own. */
function resultsKernel(to: DTypeName): string {
  if (to === 'int32') return 'integerResults.sums';
  return to === 'float32' ? 'integerResults.floats' : 'integerResults.bytes';
}

/** Sums of `rows` rows, so many at once, that become results: by 16 channels, then by four. */
function resultsWork(to: DTypeName, rows: number, atOnce: number, columns: number): Work {
  const counts = new Counts();
  for (let first = 0; first < columns; first += integerChannels) {
    const some = Math.min(integerChannels, columns - first);
    const [sixteens, fours] = [Math.floor(some / 16), Math.ceil((some % 16) / 4)];
    const calls = rows / atOnce;
    counts.add('call', calls).add('block', calls * (sixteens + fours));
    counts.add('row16', rows * sixteens).add('row4', rows * fours);
  }
  return { kernel: resultsKernel(to), counts: counts.counts };
}

/** Rows of bytes through a packed matrix, in as many `groups` as there are matrices; rows are made elsewhere. */
export function integerRowsWork(
  to: DTypeName,
  rows: number,
  depth: number,
  columns: number,
  groups = 1,
): Work[] {
  if (rows === 0 || depth === 0 || columns === 0) return [];
  const pieces = Math.ceil(paddedDepth(depth, int8DepthUnit) / integerPiece);
  const chunks = Math.ceil(columns / integerChannels);
  const work: Work[] = byteProducts(rows, depth, columns);
  for (const { rows: some, times: count } of integerRowGroups('int8', rows)) {
    const counts = { group: count, piece: count * chunks * pieces };
    work.push({ kernel: 'integerRows', counts }, resultsWork(to, some * count, some, columns));
  }
  return times(work, groups);
}

/** Parameters of so many columns that are laid out. */
export function columnsWork(columns: number): Work {
  return { kernel: 'integerColumns', counts: { column: columns } };
}

/** Rows of so many bytes, made 16 bits wide; of those that are read where they lie. */
export function linesWork(rows: number, depth: number): Work {
  return {
    kernel: 'integerLines',
    counts: { line: rows, vector: rows * Math.ceil(depth / 16) },
  };
}

/** Windows of a convolution that are gathered: of `lines` runs of so many bytes each. */
export function windowsWork(windows: number, lines: number, run: number): Work {
  const all = windows * lines;
  return {
    kernel: 'integerWindows',
    counts: { window: windows, line: all, vector: all * Math.ceil(run / 16) },
  };
}

/** Bytes of a matrix that is packed while the node runs. */
export function packingWork(bytes: number): Work {
  return { kernel: 'integerPacking', counts: { byte: bytes } };
}

/** Filters of one channel each: sums of each pixel, and what becomes of them. */
export function integerDepthwiseWork(
  to: DTypeName,
  pixels: number,
  taps: { all: number; lines: number },
  filterTaps: number,
  channels: number,
): Work[] {
  const [sixteens, eights] = [Math.floor(channels / 16), Math.ceil((channels % 16) / 8)];
  const counts = {
    pixel: pixels,
    block: pixels * (sixteens + eights),
    line: taps.lines * (sixteens + eights),
    tap16: taps.all * sixteens,
    tap8: taps.all * eights,
    weight: filterTaps * channels,
  };
  return [{ kernel: 'integerDepthwise', counts }, resultsWork(to, pixels, 1, channels)];
}

/** Elements by sixteen, then by fewer. */
export function sixteensWork(kernel: string, runs: number, length: number): Work {
  return {
    kernel,
    counts: { run: runs, sixteen: runs * Math.floor(length / 16), rest: runs * (length % 16) },
  };
}
