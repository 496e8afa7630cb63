import type { DTypeName } from '@canopy/protocol';
import { type Dim, multiply } from './dim.js';
import type { Operation, Rule } from './operation.js';
import { positions, windowSizes } from './window.js';

/** A convolution whose filter is input `filter`. */
export function convShape(filter: number, typeOf: (op: Operation) => DTypeName): Rule {
  return (op) => {
    const [batch, channels, ...spatial] = op.dims(0);
    const [outChannels, perGroup, ...kernel] = op.dims(filter);
    op.requireSame(channels!, multiply(perGroup!, op.int('group', 1)));
    const window = windowSizes(op, spatial.length, kernel);
    return [{ dtype: typeOf(op), dims: [batch!, outChannels!, ...positions(spatial, window)] }];
  };
}

/** Of pooling: the result, and places of what was largest. */
export const poolShape: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  const sizes = positions(spatial, windowSizes(op, spatial.length), op.int('ceil_mode', 0) === 1);
  const dims: Dim[] = [batch!, channels!, ...sizes];
  return [
    { dtype: op.dtype(0), dims },
    { dtype: 'int64', dims },
  ];
};

/** One position for each image and channel. */
export const globalPoolShape: Rule = (op) => {
  const [batch, channels, ...spatial] = op.dims(0);
  return [{ dtype: op.dtype(0), dims: [batch!, channels!, ...spatial.map(() => 1)] }];
};
