import { linearBlockRows, linearChannels, linearKernels, rowGroups } from '@canopy/protocol';
import { wholePanels } from '../work/linear.js';

/** Bytes of the floats of a panel, and of a vector. */
export const panelBytes = 64;
export const vectorBytes = 16;

/** Where a product's last columns do not fill a vector: a block of rows of one panel. */
export function raggedBytes(rows: number, depth: number, columns: number): number[] {
  return columns % 4 === 0 ? [] : [Math.min(linearBlockRows(depth), rows) * panelBytes];
}

/** A product with packed float weights: the sums of a group of rows, or a block of its last columns. */
export function linearBytes(rows: number, depth: number, columns: number): number[] {
  const [group] = rowGroups(linearKernels, rows);
  const whole = wholePanels(depth, columns);
  const sums = group && whole > 0 ? [4 * group.rows * Math.min(whole, linearChannels)] : [];
  const most = Math.max(0, ...sums, ...raggedBytes(rows, depth, columns));
  return most === 0 ? [] : [most];
}
