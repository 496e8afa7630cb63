import type { DTypeName } from '@canopy/protocol';
import { type Dim, multiply } from './dim.js';
import type { Operation, Rule } from './operation.js';
import { positions, requireFit, requireImage, windowSizes } from './window.js';

/** Notes that each of these inputs, where given, must have one number for each channel. */
export function requirePerChannel(op: Operation, channels: Dim, ...inputs: number[]): void {
  for (const input of inputs) if (op.has(input)) op.requireSame(op.dims(input)[0]!, channels);
}

/** A convolution whose filter is input `filter`, its bias input `bias`, where it has one. */
export function convShape(
  filter: number,
  bias: number | undefined,
  typeOf: (op: Operation) => DTypeName,
): Rule {
  return (op) => {
    const last = op.int('channels_last', 0) === 1;
    const image = op.dims(0);
    const batch = image[0];
    const channels = last ? image.at(-1) : image[1];
    const spatial = last ? image.slice(1, -1) : image.slice(2);
    const [outChannels, perGroup, ...kernel] = op.dims(filter);
    const groups = op.int('group', 1);
    op.requireSame(channels!, multiply(perGroup!, groups));
    if (typeof outChannels === 'number' && outChannels % groups !== 0) {
      throw op.badModel(`has ${outChannels} filters, which ${groups} groups cannot share`);
    }
    if (bias !== undefined) requirePerChannel(op, outChannels!, bias);
    const window = windowSizes(op, spatial.length, kernel);
    requireFit(op, spatial, window, 'filter');
    const inner = positions(spatial, window);
    const dims = last ? [batch!, ...inner, outChannels!] : [batch!, outChannels!, ...inner];
    return [{ dtype: typeOf(op), dims }];
  };
}

/** Positions of a pooling window in images of these spatial sizes. */
function pooled(op: Operation, spatial: readonly Dim[]): Dim[] {
  const window = windowSizes(op, spatial.length);
  const { kernel, pads } = window;
  const wide = pads.findIndex((pad, side) => pad >= kernel[side % kernel.length]!);
  if (wide >= 0) {
    const side = `${pads[wide]!} where its window spans ${kernel[wide % kernel.length]!}`;
    throw op.badModel(`pads by ${side}; the padding must be smaller than the window`);
  }
  requireFit(op, spatial, window, 'pooling window');
  return positions(spatial, window, op.int('ceil_mode', 0) === 1);
}

/** Of pooling: the result, and places of what was largest. */
export const poolShape: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  const dims: Dim[] = [batch!, channels!, ...pooled(op, spatial)];
  return [
    { dtype: op.dtype(0), dims },
    { dtype: 'int64', dims },
  ];
};

/** Of images [batch, ..., channels]. */
export const poolShapeChannelsLast: Rule = (op) => {
  const dims = op.dims(0);
  const inner = pooled(op, dims.slice(1, -1));
  return [{ dtype: op.dtype(0), dims: [dims[0]!, ...inner, dims.at(-1)!] }];
};

/** One position for each image and channel. */
export const globalPoolShape: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  requireImage(op, spatial);
  return [{ dtype: op.dtype(0), dims: [batch!, channels!, ...spatial.map(() => 1)] }];
};
