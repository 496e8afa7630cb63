import { add, ceilDivide, minimum, multiply, subtract, truncatedDivide, type Dim } from '../dim.js';
import { NotDerivable } from '../facts.js';
import type { Operation } from '../operation.js';

/** A window that slides over the spatial dimensions, from the attributes of Conv and pooling. */
export interface SpatialWindow {
  kernel: readonly number[];
  strides: readonly number[];
  dilations: readonly number[];
  /** Before each dimension, then after each. */
  pads: readonly number[];
  autoPad: string;
}

/**
 * Attributes of a window over `spatial` dimensions.
 *
 * @param kernel of the filter, where there is one
 */
export function windowOf(op: Operation, spatial: number, kernel?: readonly Dim[]): SpatialWindow {
  const filled = (name: string, value: number): readonly number[] =>
    op.ints(name) ?? Array<number>(spatial).fill(value);
  const sizes = op.ints('kernel_shape') ?? kernel ?? [];
  if (sizes.length !== spatial || !sizes.every((size) => typeof size === 'number')) {
    throw new NotDerivable('its window is not constant');
  }
  kernel?.forEach((size, axis) => {
    op.requireSame(sizes[axis]!, size);
  });
  const pads = op.ints('pads') ?? Array<number>(2 * spatial).fill(0);
  const autoPad = op.string('auto_pad', 'NOTSET');
  return {
    kernel: sizes,
    strides: filled('strides', 1),
    dilations: filled('dilations', 1),
    pads: autoPad === 'NOTSET' ? pads : Array<number>(2 * spatial).fill(0),
    autoPad,
  };
}

/** Positions that a window spans along a dimension. */
function span({ kernel, dilations }: SpatialWindow, axis: number): number {
  return dilations[axis]! * (kernel[axis]! - 1) + 1;
}

/** Notes that an image must have at least one position along each spatial dimension. */
export function requireImage(op: Operation, dims: readonly Dim[]): void {
  dims.forEach((dim, axis) => {
    const left = `dimension ${axis + 2} of its input`;
    op.requireAtLeast(dim, 1, { left, right: 'since an image has no empty side' });
  });
}

/**
 * Notes that a window must fit the image with its padding. A filter must do so whole; a pooling window may
 * be larger by less than a stride, as onnxruntime has it.
 */
export function requireFit(
  op: Operation,
  dims: readonly Dim[],
  window: SpatialWindow,
  what: 'filter' | 'pooling window',
): void {
  const { strides, pads, autoPad } = window;
  if (what === 'pooling window' || autoPad.startsWith('SAME')) requireImage(op, dims);
  if (autoPad.startsWith('SAME')) return;
  dims.forEach((dim, axis) => {
    const padding = pads[axis]! + pads[axis + dims.length]!;
    const left = `dimension ${axis + 2} of its input${padding > 0 ? ', padding included,' : ''}`;
    const spans = span(window, axis);
    const least = what === 'filter' ? spans : spans - strides[axis]! + 1;
    const right = `since its ${what} spans ${spans}`;
    op.requireAtLeast(add(dim, padding), least, { left, right });
  });
}

/** Positions of a window along each spatial dimension. */
export function positions(dims: readonly Dim[], window: SpatialWindow, roundUp = false): Dim[] {
  const { strides, pads, autoPad } = window;
  return dims.map((dim, axis) => {
    const stride = strides[axis]!;
    if (autoPad.startsWith('SAME')) return ceilDivide(dim, stride);
    const before = pads[axis]!;
    const padded = add(dim, before + pads[axis + dims.length]!);
    const room = subtract(padded, span(window, axis));
    // onnxruntime divides towards 0, so that a window larger than the image can still fit once.
    if (!roundUp) return add(truncatedDivide(room, stride), 1);
    // A window that would begin in the padding behind is left out.
    return minimum(add(ceilDivide(room, stride), 1), ceilDivide(add(dim, before), stride));
  });
}

/** Sizes that a transposed convolution makes of spatial dimensions. */
export function transposedPositions(
  op: Operation,
  dims: readonly Dim[],
  window: SpatialWindow,
): readonly Dim[] {
  const given = op.ints('output_shape');
  if (given) return given.slice(-dims.length);
  const { strides, pads, autoPad } = window;
  const extra = op.ints('output_padding') ?? [];
  return dims.map((dim, axis) => {
    const stride = strides[axis]!;
    if (autoPad.startsWith('SAME')) return multiply(dim, stride);
    const padding = pads[axis]! + pads[axis + dims.length]!;
    const field = span(window, axis);
    return add(multiply(subtract(dim, 1), stride), (extra[axis] ?? 0) + field - padding);
  });
}
