import { linearBlockRows } from '@canopy/protocol';

/** Bytes of the floats of a panel, and of a vector. */
export const panelBytes = 64;
export const vectorBytes = 16;

/** Where a product's last columns do not fill a vector: a block of rows of one panel. */
export function raggedBytes(rows: number, depth: number, columns: number): number[] {
  return columns % 4 === 0 ? [] : [Math.min(linearBlockRows(depth), rows) * panelBytes];
}
