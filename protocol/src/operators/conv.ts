import { u32 } from './attribute.js';
import { operator } from './description.js';
import { epilogue } from './epilogue.js';
import { float32 } from './types.js';
import { windowAttributes } from './window.js';

/** Of Conv and DepthwiseConv. */
export const convAttributes = {
  ...windowAttributes,
  group: u32,
  inChannels: u32,
  outChannels: u32,
  epilogue,
};

/** X [n,h,w,inC], packed W, bias [outC]. */
export const conv = operator({
  code: 2,
  name: 'Conv',
  attributes: convAttributes,
  inputs: [float32, float32, float32],
  outputs: [0],
});
