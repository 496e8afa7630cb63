import { DType } from '../generated/constants';
import { spent } from '../tensor/budget';
import {
  failInput, failInputs, input, output, outputAlloc, progress, setProgress, setSlot, slot,
} from '../tensor/node';
import { dtypeBytes } from '../tensor/tensor';
import { broadcastShape, outerCount, outerOffset, prepareWalk, walkDim, walkRank, walkStride } from './broadcast';
import { DONE, FAILED, YIELD } from './status';

/** condition, X, Y, broadcast as numpy does. */
export function where(): i32 {
  const type = input(1).dtype;
  const out = output(0);
  if (progress == 0) {
    if (input(0).dtype != DType.bool) {
      failInput(0, 'bool');
      return FAILED;
    }
    if (input(2).dtype != type) {
      failInputs(1, 2, 'types must be equal');
      return FAILED;
    }
    if (!broadcastShape(3) || !outputAlloc(0, type, out.rank)) return FAILED;
    setProgress(1);
  }
  if (out.byteLength == 0) return DONE;
  prepareWalk(3);
  switch (dtypeBytes(type)) {
    case 1:
      return walk<u8>();
    case 2:
      return walk<u16>();
    case 4:
      return walk<u32>();
    default:
      return walk<u64>();
  }
}

function walk<T>(): i32 {
  const last = walkRank - 1;
  const n = walkDim(last);
  const height: u32 = walkRank > 1 ? walkDim(last - 1) : 1;
  const outers = outerCount();
  let to = output(0).data + <usize>slot(0) * height * n * sizeof<T>();
  for (let outer = slot(0); outer < outers; outer++) {
    for (let r: u32 = 0; r < height; r++) {
      let c = rowOf(0, outer, r, 1);
      let x = rowOf(1, outer, r, sizeof<T>());
      let y = rowOf(2, outer, r, sizeof<T>());
      const cStep = <usize>walkStride(0, last);
      const xStep = walkStride(1, last) * sizeof<T>();
      const yStep = walkStride(2, last) * sizeof<T>();
      for (let i = n; i != 0; i--, c += cStep, x += xStep, y += yStep, to += sizeof<T>()) {
        store<T>(to, load<T>(load<u8>(c) != 0 ? x : y));
      }
    }
    if (outer + 1 < outers && spent(<u64>height * n * 24)) {
      setSlot(0, outer + 1);
      return YIELD;
    }
  }
  return DONE;
}

function rowOf(k: u32, outer: u32, row: u32, bytes: usize): usize {
  const offset = walkRank > 1 ? outerOffset(k, outer) + <usize>row * walkStride(k, walkRank - 2) : 0;
  return input(k).data + offset * bytes;
}
