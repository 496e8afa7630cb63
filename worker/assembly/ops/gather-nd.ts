import { copyBytes } from '../kernels/copy';
import { failInput, input, output, outputAlloc, progress, setProgress, setSlot, slot } from '../tensor/node';
import { MAX_RANK } from '../tensor/tensor';
import { copyRows, unitsOfBlock, yieldsAt } from './blocks';
import { blockBytes, blockOf, listLength } from './element-rows';
import { gatherNDBatchDims } from './generated/attributes';
import { DONE, FAILED, YIELD } from './status';

const SLOT_LIST: u32 = 2;
/** Bytes above which a block is copied in parts, and about what a list of indices takes. */
const LARGE: usize = 1 << 20;
const LIST: u64 = 160;

/** X, indices [.., k]: the block at each list of k indices, behind dimensions that both have. */
export function gatherND(): i32 {
  const x = input(0);
  const indices = input(1);
  const batch = gatherNDBatchDims();
  const k = listLength(batch);
  if (k < 0) return FAILED;
  const out = output(0);
  if (progress == 0) {
    if (indices.rank - 1 + x.rank - batch - k > MAX_RANK) {
      failInput(1, 'of a shape that leaves at most 8 dimensions');
      return FAILED;
    }
    let rank: u32 = 0;
    for (let i: u32 = 0; i + 1 < indices.rank; i++) out.setDim(rank++, indices.dim(i));
    for (let i: u32 = batch + k; i < x.rank; i++) out.setDim(rank++, x.dim(i));
    if (!outputAlloc(0, x.dtype, rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  const bytes = blockBytes(x, batch, k);
  const lists = indices.product(0, indices.rank - 1);
  const some = unitsOfBlock(bytes / 2 + LIST);
  for (let list = slot(SLOT_LIST); list < lists; ) {
    const end = bytes > LARGE ? list + 1 : list + min(some, lists - list);
    const first = list;
    for (; list < end; list++) {
      const block = blockOf(x, indices, batch, k, list, lists);
      if (block < 0) return FAILED;
      const from = x.data + <usize>block * bytes;
      const to = out.data + <usize>list * bytes;
      if (bytes == 4) store<u32>(to, load<u32>(from));
      else if (bytes <= LARGE) copyBytes(to, from, bytes);
      else if (!copyRows(to, 0, from, 0, 1, bytes)) {
        setSlot(SLOT_LIST, list);
        return YIELD;
      }
    }
    if (list < lists && yieldsAt(SLOT_LIST, list, (list - first) * (min(bytes, LARGE) / 2 + LIST))) return YIELD;
  }
  return DONE;
}
