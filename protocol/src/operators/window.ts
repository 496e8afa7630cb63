import { tuple } from './attribute.js';

/**
 * In place of both pads of a dimension: as many as make `size / stride` positions, rounded up, of whatever
 * size the image has; an odd one lies behind it (`upper`) or before it (`lower`).
 */
export const SamePad = { upper: 0x20000, lower: 0x20001 } as const;

/**
 * A window that slides over the two middle dimensions of [batch, height, width, channels], or over that of
 * [batch, width, channels], which is an image of height 1.
 */
export const windowAttributes = {
  kernel: tuple<readonly [number, number]>(2),
  strides: tuple<readonly [number, number]>(2),
  /** top, left, bottom, right */
  pads: tuple<readonly [number, number, number, number]>(4),
  dilations: tuple<readonly [number, number]>(2),
};
