import { Activation } from '../generated/constants';
import { setClamp } from '../kernels/clamp';
import { unary } from '../kernels/unary';
import { attr, attrF } from '../tensor/node';

/** The epilogue of the node under way: act(x) * scale + shift. */
let activation: u32 = 0;
let alpha: f32 = 0;
let beta: f32 = 0;
let scale: f32 = 1;
let shift: f32 = 0;

/** Whether kernels do the whole epilogue by clamping what they store. */
export let clamps: bool = false;

/** Reads the five words that begin at attribute `first`. */
export function readEpilogue(first: u32): void {
  activation = <u32>attr(first);
  alpha = attrF(first + 1);
  beta = attrF(first + 2);
  scale = attrF(first + 3);
  shift = attrF(first + 4);
  const plain = scale == 1 && shift == 0;
  clamps = plain && (activation == Activation.relu || activation == Activation.clip);
  if (activation == Activation.relu) setClamp(0, Infinity);
  else if (clamps) setClamp(alpha, beta);
}

/** Whether {@link finish} has anything to do to what kernels stored. */
export function needsFinish(): bool {
  return !clamps && (activation != Activation.none || scale != 1 || shift != 0);
}

/** The epilogue on `count` floats, in place; nothing where the kernels did it. */
export function finish(data: usize, count: u32): void {
  if (needsFinish()) unary(activation, data, data, count, alpha, beta, scale, shift);
}
