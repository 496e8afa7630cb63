import {
  linearChannels,
  linearKernels,
  linearMinDepth,
  linearPiece,
  panelChannels,
  rowGroups,
} from '@canopy/protocol';
import { productWork } from './gemm.js';
import { passes } from './passes.js';
import { Counts, type Work } from './work.js';

/** Channels of the whole panels of a matrix that go through kernels of several rows; 0 of shallow ones. */
export function wholePanels(depth: number, channels: number): number {
  return depth < linearMinDepth ? 0 : channels - (channels % panelChannels);
}

/** A matrix [rows, depth] through packed float weights [depth, channels]. */
export function linearWork(rows: number, depth: number, channels: number): Work[] {
  const whole = wholePanels(depth, channels);
  if (rows === 0 || whole === 0) return productWork(rows, depth, channels);
  const vectors = whole / 4;
  const chunks = Math.ceil(whole / linearChannels);
  const groups = new Counts();
  const work: Work[] = [];
  for (const { rows: some, times } of rowGroups(linearKernels, rows)) {
    const counts = new Counts();
    const turns = times * vectors;
    for (const pass of passes(linearKernels[some]!, linearPiece, depth)) {
      counts
        .add('product', turns * pass * some)
        .add('sum', turns * some)
        .add('turn', turns);
      // Of one row, weights go straight into products.
      if (some > 1) counts.add('weight', turns * pass);
      counts.add('spread', times * chunks * pass * some).add('pass', times * chunks);
    }
    work.push({ kernel: some === 1 ? 'floatRow' : 'floatRows', counts: counts.counts });
    groups.add('group', times).add('chunk', times * chunks);
  }
  groups.add('row', rows * chunks).add('vector', rows * vectors);
  const rest = channels - whole;
  return [
    { kernel: 'floatGroups', counts: groups.counts },
    ...work,
    ...(rest > 0 ? productWork(rows, depth, rest) : []),
  ];
}
