import { i32List } from './attribute.js';

/**
 * A window over any number of dimensions behind batch and channels, as one list: kernel, strides, pads
 * before, pads behind, dilations, each a number a dimension. Stands last.
 */
export const spatialAttributes = { window: i32List };

/** Dimensions that such a window may have. */
export const maxSpatialRank = 6;
