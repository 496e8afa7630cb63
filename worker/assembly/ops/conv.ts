import { CanisterError } from '../generated/constants';
import { convDepth, convParts, convTile, setConv } from '../kernels/conv-tile';
import { packedWidth } from '../kernels/panel';
import { copyLanes } from '../kernels/rows';
import { spent } from '../tensor/budget';
import { text } from '../tensor/errors';
import {
  failInput, failNode, hasInput, input, output, progress, setProgress, setSlot, slot,
  temporary,
} from '../tensor/node';
import { unitsOfBlock, yieldsAt } from './blocks';
import { clamps, finished, readEpilogue } from './epilogue';
import { convEpilogueAt, convGroup, convInChannels, convOutChannels } from './generated/attributes';
import {
  allocImage, batch, channels, dilationH, dilationW, height, kernelH, kernelW, outHeight, outWidth, padLeft, padTop, readImage,
  strideH, strideW, width,
} from './image';
import { blockRows, multiplyPanels } from './panels';
import { DONE, FAILED, YIELD } from './status';
import { checkPacked, packedChannels, zeroBias } from './weights';

const SLOT_IMAGE: u32 = 0;
const SLOT_ROW: u32 = 1;
const SLOT_GROUP: u32 = 2;
const SLOT_CHANNEL: u32 = 3;
const SLOT_COLUMN: u32 = 4;
const SLOT_PART: u32 = 5;

/** X [n,h,w,inC], packed W, bias [outC]. */
export function conv(): i32 {
  const group = convGroup();
  const inC = convInChannels();
  const outC = convOutChannels();
  if (!readImage(false)) return FAILED;
  if (progress == 0 && !begin(group, inC, outC)) return FAILED;
  if (output(0).byteLength == 0) return DONE;
  const groupIn = inC / group;
  const groupOut = outC / group;
  const bias = hasInput(2) ? input(2).data : zeroBias(packedChannels(groupOut) * group);
  if (bias == 0) return FAILED;
  readEpilogue(convEpilogueAt);
  const pointwise = kernelH * kernelW * strideH * strideW == 1 && group == 1;
  if (pointwise && outHeight == height && outWidth == width) {
    const pixels = batch * height * width;
    return multiplyPanels(input(0).data, pixels, inC, input(1).data, outC, bias, output(0).data);
  }
  setConv(
    height, width, outHeight, outWidth, kernelH, kernelW, strideH, strideW, padTop, padLeft, dilationH, dilationW,
    inC, groupIn,
  );
  return convolve(group, groupIn, groupOut, bias);
}

function begin(group: u32, inC: u32, outC: u32): bool {
  if (group == 0 || inC == 0 || outC == 0 || inC % group != 0 || outC % group != 0) {
    failNode(CanisterError.badShard);
    text('channels that are multiples of the groups expected');
    return false;
  }
  if (channels != inC) {
    failInput(0, 'of as many channels as the filters');
    return false;
  }
  if (!checkPacked(1, 2, <u32>(kernelH * kernelW) * (inC / group), outC / group, group)) return false;
  if (!allocImage(outC)) return false;
  setProgress(1);
  return true;
}

/** Input floats, times taps that go together, of a tile of output pixels. */
const TILE_FLOATS: u32 = 1 << 18;

/**
 * Tiles of output pixels, groups, panels, parts of a panel's taps and depth; yields between parts. A
 * tile is some output rows, or a piece of one that is too long. Uses slots 0 to 5 and temporary 0.
 */
function convolve(group: u32, groupIn: u32, groupOut: u32, bias: usize): i32 {
  const outC = group * groupOut;
  const depth = <u32>(kernelH * kernelW) * groupIn;
  const outStepX = <usize>outC << 2;
  const outStepY = <usize>outWidth * outStepX;
  const imageBytes = <usize>(height * width) * <usize>channels << 2;
  const groupWeights = <usize>packedChannels(groupOut) * <usize>depth << 2;
  const most = TILE_FLOATS / convDepth();
  const rows = <i32>max<u32>(1, min<u32>(outHeight, min(blockRows(channels), most) / outWidth));
  const columns = <i32>(rows > 1 ? outWidth : min<u32>(outWidth, max<u32>(1, most)));
  const parts = convParts();
  let scratch: usize = 0;
  if ((groupOut & 3) != 0) {
    scratch = temporary(0, <usize>(rows * columns) * 64);
    if (scratch == 0) return FAILED;
  }
  let n = slot(SLOT_IMAGE);
  let y = <i32>slot(SLOT_ROW);
  let x = <i32>slot(SLOT_COLUMN);
  let g = slot(SLOT_GROUP);
  let c = slot(SLOT_CHANNEL);
  for (; n < batch; n++) {
    for (; y < outHeight; y += rows) {
      const to = min(y + rows, outHeight);
      for (; x < outWidth; x += columns) {
        const end = min(x + columns, outWidth);
        const pixels = <u32>((to - y) * (end - x));
        const block = output(0).data + (<usize>n * outHeight + y) * outStepY + <usize>x * outStepX;
        for (; g < group; g++) {
          const image = input(0).data + <usize>n * imageBytes + (<usize>(g * groupIn) << 2);
          for (; c < groupOut; c += 16) {
            const panelWidth = packedWidth(groupOut - c);
            const lanes = min<u32>(16, groupOut - c);
            const w = input(1).data + <usize>g * groupWeights + (<usize>c * depth << 2);
            const biasAt = bias + (<usize>(g * packedChannels(groupOut) + c) << 2);
            const out = block + (<usize>(g * groupOut + c) << 2);
            const direct = (lanes & 3) == 0;
            const at = direct ? out : scratch;
            const stepX = direct ? outStepX : panelWidth;
            const stepY = direct ? outStepY : panelWidth * <usize>(end - x);
            const cost = <u64>(panelWidth >>> 2) * (pixels + 3) * (2 * convDepth() + 16);
            for (let part = slot(SLOT_PART); part < parts; ) {
              const until = part + min(parts - part, unitsOfBlock(cost / 4));
              convTile(part, until, panelWidth, clamps, image, y, to, x, end, w, biasAt, at, stepX, stepY);
              const done = until - part;
              part = until;
              if (part < parts && yieldsAt(SLOT_PART, part, cost * done)) {
                save(n, y, x, g, c);
                return YIELD;
              }
            }
            setSlot(SLOT_PART, 0);
            if (!direct) copyLanes(scratch, panelWidth, out, outStepX, pixels, lanes);
            if (spent(cost * min(parts, unitsOfBlock(cost / 4)))) {
              save(n, y, x, g, c + 16);
              return YIELD;
            }
          }
          c = 0;
        }
        if (!finished(block, pixels * outC)) {
          save(n, y, x, group, 0);
          return YIELD;
        }
        g = 0;
      }
      x = 0;
    }
    y = 0;
  }
  return DONE;
}

function save(image: u32, row: i32, column: i32, group: u32, channel: u32): void {
  setSlot(SLOT_IMAGE, image);
  setSlot(SLOT_ROW, row);
  setSlot(SLOT_COLUMN, column);
  setSlot(SLOT_GROUP, group);
  setSlot(SLOT_CHANNEL, channel);
}
