import { Activation } from '../generated/constants';
import { setClamp } from '../kernels/clamp';
import { unary } from '../kernels/unary';
import { attr, attrF, setSlot, slot } from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { EpilogueWords } from './generated/attributes';

/** The epilogue of the node under way: act(x) * scale + shift. */
let activation: u32 = 0;
let alpha: f32 = 0;
let beta: f32 = 0;
let scale: f32 = 1;
let shift: f32 = 0;

/** Whether kernels do the whole epilogue by clamping what they store. */
export let clamps: bool = false;

/** Reads the epilogue whose words begin at `first`. */
export function readEpilogue(first: u32): void {
  activation = <u32>attr(first + EpilogueWords.activation);
  alpha = attrF(first + EpilogueWords.alpha);
  beta = attrF(first + EpilogueWords.beta);
  scale = attrF(first + EpilogueWords.scale);
  shift = attrF(first + EpilogueWords.shift);
  const plain = scale == 1 && shift == 0;
  clamps = plain && (activation == Activation.relu || activation == Activation.clip);
  if (activation == Activation.relu) setClamp(0, Infinity);
  else if (clamps) setClamp(alpha, beta);
}

/** Of a node that has no epilogue. */
export function withoutEpilogue(): void {
  activation = Activation.none;
  scale = 1;
  shift = 0;
  clamps = false;
}

/** About what an element of the costliest activations takes. */
const COST: u64 = 35;
const SLOT_FINISHED: u32 = 7;

/**
 * The epilogue on `count` floats, in place; clamping only where no kernel did it (`alsoClamps`). False where it yields:
 * call it again with the same arguments. Uses slot 7, which is 0 before and after.
 */
export function finished(data: usize, count: u32, alsoClamps: bool = false): bool {
  if ((clamps && !alsoClamps) || (activation == Activation.none && scale == 1 && shift == 0)) return true;
  const unit = unitsOfBlock(COST) & ~3;
  for (let i = slot(SLOT_FINISHED); i < count; ) {
    const some = min(unit, count - i);
    const at = data + (<usize>i << 2);
    unary(activation, at, at, some, alpha, beta, scale, shift);
    i += some;
    if (yieldsAt(SLOT_FINISHED, i, COST * some)) return false;
  }
  setSlot(SLOT_FINISHED, 0);
  return true;
}
