import { packedChannels, panelChannels } from '@canopy/protocol';
import { readLines, type Lines } from './lines.js';

/** A matrix that is packed in panels: `columns` of those that are stored, from `base` on. */
export interface PanelMatrix extends Lines {
  k: number;
  columns: number;
  base: number;
  /** Whether stored lines are columns. */
  transposed: boolean;
  /** Factor of each stored column. */
  scale: Float32Array | undefined;
  /** In which row of a panel row `row` of the stored matrix goes; the same where left out. */
  place?: (row: number) => number;
}

/** Packs columns `[left, right)`; `left` is a multiple of a panel's. Shape [k * packedChannels(right - left)]. */
export function packPanels(
  out: Float32Array,
  matrix: PanelMatrix,
  left: number,
  right: number,
): void {
  if ((right - left) % 4 !== 0) out.fill(0);
  if (matrix.transposed) packColumns(out, matrix, left, right);
  else packRows(out, matrix, left, right);
}

function packRows(out: Float32Array, matrix: PanelMatrix, left: number, right: number): void {
  const { k, base, scale } = matrix;
  const count = right - left;
  const whole = count - (count % panelChannels);
  const panel = k * panelChannels;
  const tailWidth = packedChannels(count - whole);
  const part = { from: base + left, to: base + right };
  readLines(matrix, { from: 0, to: k }, part, (row, values, at) => {
    if (scale) {
      for (let column = 0; column < count; column++) {
        values[at + column]! *= scale[part.from + column]!;
      }
    }
    let from = at;
    for (let to = row * panelChannels; from < at + whole; to += panel) {
      for (let lane = 0; lane < panelChannels; lane++) out[to + lane] = values[from++]!;
    }
    for (let to = whole * k + row * tailWidth; from < at + count;) out[to++] = values[from++]!;
  });
}

function packColumns(out: Float32Array, matrix: PanelMatrix, left: number, right: number): void {
  const { k, base, scale, place } = matrix;
  const lines = { from: base + left, to: base + right };
  readLines(matrix, lines, { from: 0, to: k }, (line, values, at) => {
    const column = line - lines.from;
    const lane = column % panelChannels;
    const first = column - lane;
    const width = Math.min(panelChannels, packedChannels(right - left - first));
    const factor = scale?.[line] ?? 1;
    const panel = first * k + lane;
    for (let row = 0; row < k; row++) {
      const to = panel + (place ? place(row) : row) * width;
      out[to] = values[at + row]! * factor;
    }
  });
}
