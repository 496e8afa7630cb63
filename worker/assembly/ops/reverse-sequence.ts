import { DType } from '../generated/constants';
import { copyBytes } from '../kernels/copy';
import { failInput, hasInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { dtypeBytes, Tensor } from '../tensor/tensor';
import { copyRows, unitsOfBlock, yieldsAt } from './blocks';
import { reverseSequenceTime } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

/** Slots 0 and 1 are those of copyRows. */
const SLOT_PART: u32 = 2;
/** About what a part takes beside its bytes. */
const PART: u64 = 180;
/** Bytes above which one part is copied in pieces. */
const LARGE: usize = 1 << 20;

/** X, lengths: along dimension `time` the first of each batch in reverse. */
export function reverseSequence(): i32 {
  const x = input(0);
  const time = reverseSequenceTime();
  if (progress == 0 && !begin(x, time)) return FAILED;
  const out = output(0);
  if (out.byteLength == 0) return DONE;
  const bytes = <usize>x.product(2, x.rank) * dtypeBytes(x.dtype);
  const columns = x.dim(1);
  const parts = x.dim(0) * columns;
  const some = bytes > LARGE ? 1 : unitsOfBlock(PART + bytes / 2);
  for (let part = slot(SLOT_PART); part < parts; ) {
    const end = part + min(some, parts - part);
    const units = end - part;
    for (; part < end; part++) {
      const row = part / columns;
      const column = part % columns;
      const step = time == 0 ? row : column;
      const length = <u32>load<i64>(input(1).data + (<usize>(time == 0 ? column : row) << 3));
      const source = step < length ? length - 1 - step : step;
      const from = time == 0 ? source * columns + column : row * columns + source;
      const to = out.data + <usize>part * bytes;
      if (bytes <= LARGE) copyBytes(to, x.data + <usize>from * bytes, bytes);
      else if (!copyRows(to, 0, x.data + <usize>from * bytes, 0, 1, bytes)) {
        setSlot(SLOT_PART, part);
        return YIELD;
      }
    }
    if (part < parts && yieldsAt(SLOT_PART, part, bytes > LARGE ? PART : (PART + bytes / 2) * units)) return YIELD;
  }
  return DONE;
}

function begin(x: Tensor, time: u32): bool {
  if (x.rank < 2 || time > 1) {
    failInput(0, 'of two dimensions or more, time and batch among the first two');
    return false;
  }
  const lengths = input(1);
  if (!hasInput(1) || lengths.dtype != DType.int64 || lengths.count() != x.dim(1 - time)) {
    failInput(1, 'int64, a length for each of the batch');
    return false;
  }
  for (let i: u32 = 0; i < lengths.count(); i++) {
    const length = load<i64>(lengths.data + (<usize>i << 3));
    if (length < 0 || length > <i64>x.dim(time)) {
      failInput(1, 'lengths of 0 to the size of the time dimension');
      return false;
    }
  }
  output(0).shapeLike(x);
  if (!outputAlloc(0, x.dtype, x.rank)) return false;
  setSlot(SLOT_PART, 0);
  setProgress(1);
  return true;
}
