import { CanisterError, DType } from '../generated/constants';
import { depthwiseTile, setDepthwise } from '../kernels/depthwise-tile';
import { copyLanes } from '../kernels/rows';
import { spent } from '../tensor/budget';
import { text } from '../tensor/errors';
import {
  failInput, failNode, hasInput, input, output, progress, setProgress, setSlot, slot,
  temporary,
} from '../tensor/node';
import { unitsOfBlock } from './blocks';
import { clamps, finished, readEpilogue } from './epilogue';
import { depthwiseConvEpilogueAt, depthwiseConvInChannels, depthwiseConvOutChannels } from './generated/attributes';
import {
  allocImage, batch, channels, dilationH, dilationW, height, kernelH, kernelW, outHeight, outWidth, padLeft, padTop, readImage,
  strideH, strideW, width,
} from './image';
import { blockRows } from './panels';
import { DONE, FAILED, YIELD } from './status';
import { hasFloats, packedChannels, zeroBias } from './weights';

const SLOT_IMAGE: u32 = 0;
const SLOT_ROW: u32 = 1;
const SLOT_CHANNEL: u32 = 2;
const SLOT_COLUMN: u32 = 3;

/** Conv with one filter a channel; W [kernelH*kernelW, channels rounded up to 4]. */
export function depthwiseConv(): i32 {
  if (!readImage(false)) return FAILED;
  if (progress == 0 && !begin()) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  const bias = hasInput(2) ? input(2).data : zeroBias(channels);
  if (bias == 0) return FAILED;
  readEpilogue(depthwiseConvEpilogueAt);
  setDepthwise(
    height, width, kernelH, kernelW, strideH, strideW, padTop, padLeft, dilationH, dilationW,
    channels, packedChannels(channels),
  );
  return convolve(bias);
}

function begin(): bool {
  if (channels != depthwiseConvInChannels() || channels != depthwiseConvOutChannels()) {
    failInput(0, 'of as many channels as the filters');
    return false;
  }
  const packed: u64 = packedChannels(channels);
  if (!hasFloats(1, packed * (kernelH * kernelW)) || (hasInput(2) && !hasFloats(2, packed))) return false;
  if (!allocImage(channels)) return false;
  setProgress(1);
  return true;
}

/**
 * Tiles of output pixels, then channels by 16 and 4; yields between them. A tile is some output rows,
 * or a piece of one that is too long. Slots 0 to 3, temporary 0.
 */
function convolve(bias: usize): i32 {
  const stepX = <usize>channels << 2;
  const stepY = <usize>outWidth * stepX;
  const imageBytes = <usize>(height * width) * stepX;
  const cost = <u64>(min(kernelH, height) * min(kernelW, width)) * 3 + 8;
  const most = unitsOfBlock(16 * cost);
  const rows = <i32>max<u32>(1, min<u32>(outHeight, min(blockRows(channels), most) / outWidth));
  const columns = <i32>(rows > 1 ? outWidth : min<u32>(outWidth, most));
  let scratch: usize = 0;
  if ((channels & 3) != 0) {
    scratch = temporary(0, <usize>(rows * columns) << 4);
    if (scratch == 0) return FAILED;
  }
  let n = slot(SLOT_IMAGE);
  let y = <i32>slot(SLOT_ROW);
  let x = <i32>slot(SLOT_COLUMN);
  let c = slot(SLOT_CHANNEL);
  for (; n < batch; n++) {
    for (; y < outHeight; y += rows) {
      const to = min(y + rows, outHeight);
      for (; x < outWidth; x += columns) {
        const end = min(x + columns, outWidth);
        const pixels = <u32>((to - y) * (end - x));
        const block = output(0).data + (<usize>n * outHeight + y) * stepY + <usize>x * stepX;
        while (c < channels) {
          const offset = <usize>c << 2;
          const lanes: u32 = channels - c >= 16 ? 16 : min<u32>(4, channels - c);
          const image = input(0).data + <usize>n * imageBytes + offset;
          const w = input(1).data + offset;
          if (lanes >= 4) {
            depthwiseTile(lanes << 2, clamps, image, y, to, x, end, w, bias + offset, block + offset, stepX, stepY);
          } else {
            const scratchStep = <usize>(end - x) << 4;
            depthwiseTile(16, clamps, image, y, to, x, end, w, bias + offset, scratch, 16, scratchStep);
            copyLanes(scratch, 16, block + offset, stepX, pixels, lanes);
          }
          c += lanes;
          if (spent(<u64>lanes * (pixels + 3) * cost)) {
            save(n, y, x, c);
            return YIELD;
          }
        }
        if (!finished(block, pixels * channels)) {
          save(n, y, x, channels);
          return YIELD;
        }
        c = 0;
      }
      x = 0;
    }
    y = 0;
  }
  return DONE;
}

function save(image: u32, row: i32, column: i32, channel: u32): void {
  setSlot(SLOT_IMAGE, image);
  setSlot(SLOT_ROW, row);
  setSlot(SLOT_COLUMN, column);
  setSlot(SLOT_CHANNEL, channel);
}
