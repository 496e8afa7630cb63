import { bool, f32, i32List, oneOf } from './attribute.js';
import { operator } from './description.js';
import { anyType, float32, indexTypes } from './types.js';

export const ResizeMode = { nearest: 0, linear: 1, cubic: 2 } as const;
export type ResizeModeName = keyof typeof ResizeMode;

/** Where an element of the result lies in the input. */
export const ResizeCoordinates = {
  half_pixel: 0,
  asymmetric: 1,
  pytorch_half_pixel: 2,
  tf_half_pixel_for_nn: 3,
  align_corners: 4,
  tf_crop_and_resize: 5,
  half_pixel_symmetric: 6,
} as const;
export type ResizeCoordinatesName = keyof typeof ResizeCoordinates;

/** Which of two neighbours is the nearest; `simple` is that of before operator set 11. */
export const ResizeNearest = {
  simple: 0,
  round_prefer_floor: 1,
  round_prefer_ceil: 2,
  floor: 3,
  ceil: 4,
} as const;
export type ResizeNearestName = keyof typeof ResizeNearest;

/** Whether sizes are bounds for one scale of all axes. */
export const ResizePolicy = { stretch: 0, not_larger: 1, not_smaller: 2 } as const;
export type ResizePolicyName = keyof typeof ResizePolicy;

/**
 * X, region?, scales?, sizes?: X in another size along some axes, to which the other inputs' numbers belong
 * in their order. Sizes go before scales. Modes other than nearest: float32 only.
 */
export const resize = operator({
  code: 103,
  name: 'Resize',
  attributes: {
    mode: oneOf(ResizeMode),
    coordinates: oneOf(ResizeCoordinates),
    nearest: oneOf(ResizeNearest),
    policy: oneOf(ResizePolicy),
    antialias: bool,
    excludeOutside: bool,
    cubicA: f32,
    extrapolation: f32,
    axes: i32List,
  },
  inputs: [anyType, float32, float32, indexTypes],
  outputs: [0],
});
