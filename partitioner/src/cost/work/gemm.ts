import { linearBlockRows, panelChannels, singleRows } from '@canopy/protocol';
import { Counts, type Work } from './work.js';

/** Depths of the pieces into which kernels cut a product; `worker/assembly/kernels/gemm.ts`. */
const pieces = [32, 16, 8, 4, 3, 2, 1];
/** A rectangle of pixels multiplied by one filter tap, or by several that lie together. */
export interface Rectangle {
  width: number;
  height: number;
  /** Input numbers of each pixel. */
  depth: number;
  /** Into how many blocks of rows it is cut. */
  blocks: number;
}

/** Panels of `channels` output channels: their widths in vectors of 4, and how many there are. */
export function panelWidths(channels: number): { vectors: number; panels: number }[] {
  const rest = channels % panelChannels;
  const widths = [{ vectors: panelChannels / 4, panels: Math.floor(channels / panelChannels) }];
  if (rest > 0) widths.push({ vectors: Math.ceil(rest / 4), panels: 1 });
  return widths.filter(({ panels }) => panels > 0);
}

/**
 * Rectangles through the panels of `channels` output channels. Each piece of depth adds to the sums of
 * the piece before it.
 */
export function gemmWork(rectangles: readonly Rectangle[], channels: number, times = 1): Work[] {
  const byPiece = new Map(pieces.map((piece) => [piece, new Counts()]));
  const begun = new Counts();
  for (const { vectors, panels: perImage } of panelWidths(channels)) {
    const panels = perImage * times;
    let most = 0;
    for (const { width, height, depth, blocks } of rectangles) {
      const pixels = width * height;
      most = Math.max(most, pixels);
      let rest = depth;
      for (const [piece, counts] of byPiece) {
        const passes = Math.floor(rest / piece) * panels;
        rest %= piece;
        if (passes === 0) continue;
        counts.add('sum', passes * pixels * vectors).add('pixel', passes * pixels);
        counts.add('row', passes * height);
        counts.add('weight', passes * blocks * vectors).add('pass', passes * blocks);
      }
    }
    // The first piece of every pixel begins with the bias instead of loading a sum.
    begun.add('sum', most * vectors * panels).add('panel', panels);
  }
  return [
    { kernel: 'gemm', counts: begun.counts },
    ...[...byPiece]
      .filter(([, { counts }]) => Object.keys(counts).length > 0)
      .map(([piece, { counts }]) => ({ kernel: `gemm${piece}`, counts })),
  ];
}

/** Rows of `lanes` numbers copied one by one. */
export function lanesWork(rows: number, lanes: number): Work {
  return {
    kernel: 'lanes',
    counts: { row: rows, vector: rows * Math.floor(lanes / 4), tail: rows * Number(lanes % 4 > 0) },
  };
}

/** The last panel's results copied to their place where it is no multiple of 4 wide. */
export function raggedWork(rows: number, channels: number): Work[] {
  return channels % 4 === 0 ? [] : [lanesWork(rows, channels % panelChannels)];
}

/** A matrix [rows, depth] through packed weights [depth, channels]. */
export function productWork(rows: number, depth: number, channels: number): Work[] {
  const block = linearBlockRows(depth);
  const blocks = Math.ceil(rows / block);
  const last = rows - (blocks - 1) * block;
  const single = last <= singleRows ? last : 0;
  const together = rows - single;
  const work: Work[] = [];
  if (together > 0) {
    const height = Math.ceil(together / block);
    work.push(...gemmWork([{ width: together / height, height, depth, blocks: height }], channels));
  }
  if (single > 0) work.push(gemvWork(single, depth, channels));
  return [...work, ...raggedWork(rows, channels)];
}

function gemvWork(rows: number, depth: number, channels: number): Work {
  const counts = new Counts();
  for (const { vectors, panels } of panelWidths(channels)) {
    const times = rows * panels;
    counts.add('multiplyAdd4', times * depth * vectors);
    counts.add('spread', times * depth);
    counts.add('tail', times * (depth % 16) * vectors);
    counts.add('sum', times * vectors);
    counts.add('panel', times);
  }
  return { kernel: 'gemv', counts: counts.counts };
}
