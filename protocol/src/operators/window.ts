import { tuple } from './attribute.js';

/** A window that slides over the two middle dimensions of [batch, height, width, channels]. */
export const windowAttributes = {
  kernel: tuple<readonly [number, number]>(2),
  strides: tuple<readonly [number, number]>(2),
  /** top, left, bottom, right */
  pads: tuple<readonly [number, number, number, number]>(4),
  dilations: tuple<readonly [number, number]>(2),
};
