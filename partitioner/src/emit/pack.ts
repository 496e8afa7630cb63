import { elementCount, packedChannels, panelChannels } from '@canopy/protocol';
import { readFloats, readInto } from '../graph/constant.js';
import { weightBytes, type Weight } from '../graph/program.js';
import { int8Scales, integerPart, packIntegers } from './integer-weights.js';
import type { Span } from './lines.js';
import { packPanels, type PanelMatrix } from './panels.js';

/** Most numbers that are packed at once, and kept until bytes beyond them are asked for. */
const mostFloats = 8 * 1024 * 1024;

function bytesOf(floats: Float32Array): Uint8Array {
  return new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength);
}

type Filter = Extract<Weight, { kind: 'filter' }>;
type Matrix = Extract<Weight, { kind: 'matrix' }>;

/** A weight in panels: its matrices, one after the other. */
function panelMatrices(weight: Matrix | Filter): { matrix: PanelMatrix; count: number } {
  const { constant, scale } = weight;
  if (weight.kind === 'matrix') {
    const { k, n, transposed } = weight;
    const length = transposed ? k : n;
    return {
      matrix: { constant, length, k, columns: n, base: 0, transposed, scale },
      count: 1,
    };
  }
  const { group } = weight;
  const [outChannels = 0, inChannels = 0, height = 1, width = 1] = constant.dims;
  const pixels = height * width;
  const k = inChannels * pixels;
  // Stored (inC, kernelH, kernelW), wanted (kernelH, kernelW, inC).
  const place = (index: number): number =>
    (index % pixels) * inChannels + Math.floor(index / pixels);
  const columns = outChannels / group;
  return {
    matrix: { constant, length: k, k, columns, base: 0, transposed: true, scale, place },
    count: group,
  };
}

/** Packed bytes of a weight from `from` on. */
interface Part {
  from: number;
  bytes: Uint8Array;
}

/** Gives memory for so many numbers, that of the part before. */
type Take = (floats: number) => Float32Array;

/** The panels around byte `position`, and how they are packed. */
function panelPart(weight: Matrix | Filter, position: number, take: Take): Part {
  const { matrix, count } = panelMatrices(weight);
  const { k, columns } = matrix;
  const bytes = weightBytes(weight) / count;
  const index = Math.floor(position / bytes);
  const begin = index * bytes;
  const panelFloats = k * panelChannels;
  const panels = Math.max(1, Math.floor(mostFloats / panelFloats));
  const partBytes = panels * panelFloats * 4;
  const part = Math.floor((position - begin) / partBytes);
  const left = part * panels * panelChannels;
  const right = Math.min(columns, left + panels * panelChannels);
  const out = take(k * packedChannels(right - left));
  packPanels(out, { ...matrix, base: index * columns }, left, right);
  return { from: begin + part * partBytes, bytes: bytesOf(out) };
}

function depthwise({ constant, scale }: Extract<Weight, { kind: 'depthwise' }>): Float32Array {
  const [channels = 0, , height = 1, width = 1] = constant.dims;
  const pixels = height * width;
  const stride = packedChannels(channels);
  const source = readFloats(constant, 0, elementCount(constant.dims));
  const packed = new Float32Array(pixels * stride);
  for (let channel = 0; channel < channels; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      packed[pixel * stride + channel] =
        source[channel * pixels + pixel]! * (scale?.[channel] ?? 1);
    }
  }
  return packed;
}

function bias({ values, group }: Extract<Weight, { kind: 'bias' }>): Float32Array {
  const perGroup = values.length / group;
  const stride = packedChannels(perGroup);
  const packed = new Float32Array(group * stride);
  values.forEach((value, index) => {
    packed[Math.floor(index / perGroup) * stride + (index % perGroup)] = value;
  });
  return packed;
}

/** The part of a weight around byte `position`. */
function partAt(weight: Exclude<Weight, { kind: 'plain' }>, position: number, take: Take): Part {
  switch (weight.kind) {
    case 'matrix':
    case 'filter':
      return panelPart(weight, position, take);
    case 'int8':
    case 'int4': {
      const span: Span = integerPart(weight, position);
      return { from: span.from, bytes: packIntegers(weight, span) };
    }
    case 'int8-scales':
      return { from: 0, bytes: bytesOf(int8Scales(weight.matrix)) };
    case 'depthwise':
      return { from: 0, bytes: bytesOf(depthwise(weight)) };
    case 'bias':
      return { from: 0, bytes: bytesOf(bias(weight)) };
  }
}

/**
 * Packs weights part by part and keeps the last: asked for bytes in order, it reads each number of a
 * weight once, in long pieces.
 */
export class Packer {
  private weight: Weight | undefined;
  private part: Part | undefined;
  private buffer = new Float32Array(0);

  /** Fills `target` with the bytes of a weight from `start` on, as they lie in a shard. */
  fill(target: Uint8Array, weight: Weight, start: number): void {
    if (weight.kind === 'plain') {
      readInto(weight.constant, target, start);
      return;
    }
    for (let done = 0; done < target.length;) {
      const position = start + done;
      const { from, bytes } = this.partOf(weight, position);
      const at = position - from;
      const count = Math.min(bytes.length - at, target.length - done);
      target.set(bytes.subarray(at, at + count), done);
      done += count;
    }
  }

  private partOf(weight: Exclude<Weight, { kind: 'plain' }>, position: number): Part {
    const { part } = this;
    if (part && this.weight === weight) {
      const at = position - part.from;
      if (at >= 0 && at < part.bytes.length) return part;
    }
    this.part = partAt(weight, position, (floats) => {
      if (this.buffer.length < floats) this.buffer = new Float32Array(floats);
      return this.buffer.subarray(0, floats);
    });
    this.weight = weight;
    return this.part;
  }

  /** Frees what is kept. */
  release(): void {
    this.weight = undefined;
    this.part = undefined;
    this.buffer = new Float32Array(0);
  }
}

/** Bytes `[start, end)` of a weight as they lie in a shard. */
export function packedBytes(weight: Weight, start: number, end: number): Uint8Array {
  const target = new Uint8Array(end - start);
  new Packer().fill(target, weight, start);
  return target;
}
