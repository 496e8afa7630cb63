import { linearBlockRows, packedChannels, SamePad } from '@canopy/protocol';
import type { OpAttributes, Window } from '../../graph/program.js';
import { samePads } from '../../graph/same-pads.js';
import { gemmWork, lanesWork, raggedWork, type Rectangle } from './gemm.js';
import { linearWork } from './linear.js';
import { Counts, type Work } from './work.js';

/** Input channels below which the taps of a filter row go together; `worker/assembly/kernels/conv-tile.ts`. */
const wholeRowChannels = 16;

/** Outputs along one dimension whose tap at `tap` lies inside the image. */
function inside(
  outputs: number,
  inputs: number,
  stride: number,
  offset: number,
): { from: number; to: number } {
  const from = Math.min(outputs, Math.max(0, Math.ceil(-offset / stride)));
  const to = Math.min(outputs, Math.max(0, Math.floor((inputs - 1 - offset) / stride) + 1));
  return { from, to: Math.max(from, to) };
}

interface Image {
  batch: number;
  height: number;
  width: number;
  outHeight: number;
  outWidth: number;
}

/** Of [batch, height, width, channels], or of [batch, width, channels], whose height is 1. */
export function imageOf(input: readonly number[], output: readonly number[]): Image {
  const [batch = 1] = input;
  const [height = 1, width = 1] = input.length === 4 ? input.slice(1) : [1, input[1]];
  const [outHeight = 1, outWidth = 1] = output.length === 4 ? output.slice(1) : [1, output[1]];
  return { batch, height, width, outHeight, outWidth };
}

/** The window with the pads that those of an image's size are. */
function withPads<Attributes extends Window>(window: Attributes, image: Image): Attributes {
  const { kernel, strides, dilations, pads } = window;
  const [top, bottom] = padsAt(
    [pads[0], pads[2]],
    image.height,
    kernel[0],
    strides[0],
    dilations[0],
  );
  const [left, right] = padsAt(
    [pads[1], pads[3]],
    image.width,
    kernel[1],
    strides[1],
    dilations[1],
  );
  return { ...window, pads: [top, left, bottom, right] };
}

function padsAt(
  given: readonly [number, number],
  size: number,
  kernel: number,
  stride: number,
  dilation: number,
): readonly [number, number] {
  if (given[0] < SamePad.upper) return given;
  return samePads(size, kernel, stride, dilation, given[0] === SamePad.upper);
}

/** The rectangles of one image that a filter's taps cover; padding is left out. */
function rectangles(conv: OpAttributes['Conv'], image: Image): Rectangle[] {
  const { kernel, strides, pads, dilations, inChannels, group } = conv;
  const depth = inChannels / group;
  const { height, width, outHeight, outWidth } = image;
  const rows = Math.max(1, Math.min(outHeight, Math.floor(linearBlockRows(inChannels) / outWidth)));
  const blocks = Math.ceil(outHeight / rows);
  const covered = pads[1] < kernel[1] && (outWidth - 1) * strides[1] - pads[1] < width;
  const wholeRows =
    kernel[1] > 1 && dilations[1] === 1 && group === 1 && depth < wholeRowChannels && covered;
  const found: Rectangle[] = [];
  for (let ky = 0; ky < kernel[0]; ky++) {
    const y = inside(outHeight, height, strides[0], ky * dilations[0] - pads[0]);
    if (y.to === y.from) continue;
    const tall = { height: y.to - y.from, blocks };
    if (!wholeRows) {
      for (let kx = 0; kx < kernel[1]; kx++) {
        const x = inside(outWidth, width, strides[1], kx * dilations[1] - pads[1]);
        if (x.to > x.from) found.push({ ...tall, width: x.to - x.from, depth });
      }
      continue;
    }
    const first = inside(outWidth, width, strides[1], -pads[1]).from;
    const last = inside(outWidth, width, strides[1], kernel[1] - 1 - pads[1]).to;
    for (let x = 0; x < outWidth;) {
      const inner = x === first && first < last;
      const begin = x * strides[1] - pads[1];
      const taps = inner ? kernel[1] : Math.min(kernel[1], width - begin) - Math.max(0, -begin);
      const to = inner ? last : x + 1;
      found.push({ ...tall, width: to - x, depth: taps * depth });
      x = to;
    }
  }
  return found;
}

export function convWork(attributes: OpAttributes['Conv'], image: Image): Work[] {
  const conv = withPads(attributes, image);
  const { kernel, strides, group, inChannels, outChannels } = conv;
  const pixels = image.batch * image.outHeight * image.outWidth;
  const pointwise = kernel[0] * kernel[1] * strides[0] * strides[1] === 1 && group === 1;
  if (pointwise && image.outHeight === image.height && image.outWidth === image.width) {
    return linearWork(pixels, inChannels, outChannels);
  }
  return [
    ...gemmWork(rectangles(conv, image), outChannels / group, image.batch * group),
    ...raggedWork(pixels * group, outChannels / group),
  ];
}

/** Runs of outputs that see the same taps of one dimension, as the depthwise kernel cuts them. */
function runs(
  outputs: number,
  inputs: number,
  kernel: number,
  stride: number,
  pad: number,
  dilation: number,
): { length: number; taps: number }[] {
  const found: { length: number; taps: number }[] = [];
  const room = inputs - (kernel - 1) * dilation - 1 + pad;
  for (let at = 0; at < outputs;) {
    const begin = at * stride - pad;
    const whole = begin >= 0 && at * stride <= room;
    const to = whole ? Math.min(outputs, Math.floor(room / stride) + 1) : at + 1;
    const first = begin >= 0 ? 0 : Math.ceil(-begin / dilation);
    const end =
      begin >= inputs ? 0 : Math.min(kernel, Math.floor((inputs - 1 - begin) / dilation) + 1);
    found.push({ length: to - at, taps: Math.max(0, end - first) });
    at = to;
  }
  return found;
}

function windowRuns(
  window: Window,
  image: Image,
): Record<'rows' | 'columns', ReturnType<typeof runs>> {
  const { kernel, strides, pads, dilations } = withPads(window, image);
  const { height, width, outHeight, outWidth } = image;
  return {
    rows: runs(outHeight, height, kernel[0], strides[0], pads[0], dilations[0]),
    columns: runs(outWidth, width, kernel[1], strides[1], pads[1], dilations[1]),
  };
}

export function depthwiseWork(conv: OpAttributes['DepthwiseConv'], image: Image): Work[] {
  const channels = conv.outChannels;
  const { rows, columns } = windowRuns(conv, image);
  const general = new Counts();
  const square = new Counts();
  // Channels go 16 at a time, the rest 4 at a time.
  const rest = packedChannels(channels % 16) / 4;
  const passes = [
    { vectors: 4, times: Math.floor(channels / 16) },
    { vectors: 1, times: rest },
  ];
  for (const { vectors, times: perImage } of passes) {
    const times = perImage * image.batch;
    for (const y of rows) {
      for (const x of columns) {
        const pixels = y.length * x.length;
        if (y.taps === 3 && x.taps === 3 && conv.kernel[1] === 3) {
          square.add('sum', times * pixels * vectors).add('pixel', times * pixels);
          square.add('row', times * y.length).add('cell', times);
          continue;
        }
        const parts = y.taps * rowPieces(x.taps);
        general.add('multiplyAdd4', times * pixels * y.taps * x.taps * vectors);
        general.add('sum', times * pixels * parts * vectors);
        general.add('pixel', times * pixels * parts);
        general.add('row', times * y.length * parts);
        general.add('piece', times * parts).add('cell', times);
      }
    }
  }
  const work: Work[] = [];
  if (Object.keys(square.counts).length > 0)
    work.push({ kernel: 'depthwise3x3', counts: square.counts });
  if (Object.keys(general.counts).length > 0)
    work.push({ kernel: 'depthwise', counts: general.counts });
  if (channels % 4 !== 0) {
    const pixels = image.batch * image.outHeight * image.outWidth;
    work.push(lanesWork(pixels, channels % 4));
  }
  return work;
}

/** Taps of a filter row go five, four or three at a time; `worker/assembly/kernels/depthwise-tile.ts`. */
function rowPieces(taps: number): number {
  let pieces = 0;
  for (let left = taps; left > 0; pieces++) left -= left === 5 || left < 4 ? left : 3;
  return pieces;
}

/** Taps that lie inside the image, and lines of them, over all windows. */
export function tapsInside(window: Window, image: Image): { all: number; lines: number } {
  const { rows, columns } = windowRuns(window, image);
  const across = columns.reduce((sum, { length, taps }) => sum + length * taps, 0);
  const down = rows.reduce((sum, { length, taps }) => sum + length * taps, 0);
  return { all: image.batch * across * down, lines: image.batch * down * image.outWidth };
}

export function poolWork(kernel: string, window: Window, image: Image, channels: number): Work[] {
  const { rows, columns } = windowRuns(window, image);
  const counts = new Counts();
  const isBytes = kernel.endsWith('.bytes');
  const sixteens = Math.floor(channels / 16);
  const fours = isBytes ? 0 : Math.floor((channels % 16) / 4);
  // Of bytes each of the channels behind the last sixteen by itself.
  const tails = isBytes ? channels % 16 : Number(channels % 4 > 0);
  for (const y of rows) {
    for (const x of columns) {
      const pixels = y.length * x.length * image.batch;
      const taps = pixels * y.taps * x.taps;
      const tapRows = pixels * y.taps;
      counts
        .add('tap16', taps * sixteens)
        .add('tap4', taps * fours)
        .add('tapTail', taps * tails);
      counts.add('tapRow', tapRows * (sixteens + fours + tails));
      counts.add('group', pixels * (sixteens + fours + tails)).add('pixel', pixels);
    }
  }
  counts.add('row', image.outHeight * image.batch);
  return [{ kernel, counts: counts.counts }];
}
