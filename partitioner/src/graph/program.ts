import {
  int4MatrixBytes,
  int8MatrixBytes,
  packedChannels,
  packedMatrixElements,
  weightAlignment,
  dtypeBytes,
  elementCount,
  type DTypeName,
  type Epilogue,
  type OpAttributes,
  type OpName,
} from '@canopy/protocol';
import { constantBytes, type Constant } from './constant.js';
import type { Dim } from './shapes/dim.js';
import type { Facts } from './shapes/facts.js';
import { PlanSizes } from './shapes/plan-sizes.js';

export type { OpAttributes } from '@canopy/protocol';

/** A sliding window over the two middle dimensions of [batch, height, width, channels]. */
export interface Window {
  kernel: readonly [number, number];
  strides: readonly [number, number];
  /** top, left, bottom, right */
  pads: readonly [number, number, number, number];
  dilations: readonly [number, number];
}

interface NodeOf<Op extends OpName> {
  op: Op;
  /** Name of the node of the model it comes from. */
  name: string;
  /** Names of values; the empty string where an optional input is left out. */
  inputs: string[];
  outputs: string[];
  attributes: OpAttributes[Op];
}
/** One operation of a worker's program. */
export type ProgramNode = { [Op in OpName]: NodeOf<Op> }[OpName];
export type ProgramNodeOf<Op extends OpName> = Extract<ProgramNode, { op: Op }>;

/** Matrix of a Linear; the constant is [K, N], or [N, K] where `transposed`. `scale` is per column. */
export interface MatrixWeight {
  kind: 'matrix';
  constant: Constant;
  k: number;
  n: number;
  transposed: boolean;
  scale: Float32Array | undefined;
}

/** A matrix in integers: int8 with a scale a column, or int4 with one for each `block` of a column. */
export type IntegerWeight =
  { kind: 'int8'; matrix: MatrixWeight } | { kind: 'int4'; matrix: MatrixWeight; block: 32 | 128 };

/** Constant data in the form in which kernels read it; packed while it is written out. */
export type Weight =
  /** As it is. */
  | { kind: 'plain'; constant: Constant }
  | MatrixWeight
  | IntegerWeight
  /** Scales of an int8 matrix. */
  | { kind: 'int8-scales'; matrix: MatrixWeight }
  /** Filter [outC, inC / group, kernelH, kernelW]; `scale` is per output channel. */
  | { kind: 'filter'; constant: Constant; group: number; scale: Float32Array | undefined }
  /** Filter [channels, 1, kernelH, kernelW] with one channel a group. */
  | { kind: 'depthwise'; constant: Constant; scale: Float32Array | undefined }
  /** One number per output channel, each group padded to whole panels. */
  | { kind: 'bias'; values: Float32Array; group: number };

/** Shape of a value: sizes, or expressions where the model leaves them open. */
export class Shapes {
  private readonly known = new Map<number, readonly number[]>();

  /** @param sizes what open sizes are taken for in costs */
  constructor(
    readonly dims: readonly Dim[],
    private readonly sizes: PlanSizes,
  ) {}

  get rank(): number {
    return this.dims.length;
  }
  /** The shape to plan with when so many rows are worked on at once. */
  at(rows: number): readonly number[] {
    let shape = this.known.get(rows);
    if (!shape) {
      shape = this.dims.map((dim) => this.sizes.at(dim, rows));
      this.known.set(rows, shape);
    }
    return shape;
  }
  /** The shape of another value, planned with the same sizes. */
  of(dims: readonly Dim[]): Shapes {
    return new Shapes(dims, this.sizes);
  }
}

const noSizes = new PlanSizes({});

/** The shape of a value whose sizes are all fixed. */
export function fixedShapes(dims: readonly number[]): Shapes {
  return new Shapes(dims, noSizes);
}

export interface ProgramValue {
  name: string;
  dtype: DTypeName;
  shapes: Shapes;
  /** Its elements, where they follow from sizes alone; see {@link Facts}. */
  elements?: Facts['values'];
  weight?: Weight;
}

/** A model as operations of a worker, before it is cut. */
export interface Program {
  inputs: string[];
  outputs: string[];
  nodes: ProgramNode[];
  values: Map<string, ProgramValue>;
}

export const noEpilogue: Epilogue = { activation: 'none', alpha: 0, beta: 0, scale: 1, shift: 0 };

export function isPlainEpilogue(epilogue: Epilogue): boolean {
  return epilogue.activation === 'none' && epilogue.scale === 1 && epilogue.shift === 0;
}

/** Shape of a value when so many rows are worked on at once, open sizes as planned. */
export function shapeAt(shapes: Shapes, rows: number): number[] {
  return [...shapes.at(rows)];
}

/** The shape after a permutation of the dimensions. */
export function permuted(shapes: Shapes, permutation: readonly number[]): Shapes {
  return shapes.of(permutation.map((axis) => shapes.dims[axis]!));
}

/** Plans a program with other sizes. */
export function planWith(program: Program, sizes: PlanSizes): void {
  for (const value of program.values.values()) {
    value.shapes = new Shapes(value.shapes.dims, sizes);
  }
}

/** Bytes a value takes when so many rows are worked on at once. */
export function valueBytes(value: ProgramValue, rows: number): number {
  return elementCount(value.shapes.at(rows)) * dtypeBytes(value.dtype);
}

/** Bytes of a weight as it is packed. */
export function weightBytes(weight: Weight): number {
  switch (weight.kind) {
    case 'plain':
      return constantBytes(weight.constant);
    case 'matrix':
      return packedMatrixElements(weight.k, weight.n) * 4;
    case 'filter': {
      const [outChannels = 0, ...rest] = weight.constant.dims;
      const perGroup = packedMatrixElements(elementCount(rest), outChannels / weight.group);
      return perGroup * weight.group * 4;
    }
    case 'depthwise': {
      const [channels = 0, , height = 1, width = 1] = weight.constant.dims;
      return height * width * packedChannels(channels) * 4;
    }
    case 'bias':
      return packedChannels(weight.values.length / weight.group) * weight.group * 4;
    case 'int8':
      return int8MatrixBytes(weight.matrix.k, weight.matrix.n);
    case 'int4':
      return int4MatrixBytes(weight.matrix.k, weight.matrix.n);
    case 'int8-scales':
      return packedChannels(weight.matrix.n) * 4;
  }
}

/** Element type of a weight as its operator reads it; int4 blocks are bytes. */
export function weightType(weight: Weight): DTypeName {
  switch (weight.kind) {
    case 'plain':
      return weight.constant.dtype;
    case 'int8':
      return 'int8';
    case 'int4':
      return 'uint8';
    default:
      return 'float32';
  }
}

/** Bytes a weight takes in a shard with the zeros up to the next one. */
export function storedBytes(weight: Weight): number {
  return Math.ceil(weightBytes(weight) / weightAlignment) * weightAlignment;
}

/** Shape of a weight as its operator reads it. */
export function weightDims(weight: Weight): readonly number[] {
  switch (weight.kind) {
    case 'plain':
      return weight.constant.dims;
    case 'matrix':
      return [weight.k, weight.n];
    case 'filter': {
      const [outChannels = 0, inChannels = 0, height = 1, width = 1] = weight.constant.dims;
      return [weight.group, height * width * inChannels, outChannels / weight.group];
    }
    case 'depthwise': {
      const [channels = 0, , height = 1, width = 1] = weight.constant.dims;
      return [height * width, packedChannels(channels)];
    }
    case 'bias':
      return [packedChannels(weight.values.length / weight.group) * weight.group];
    case 'int8':
    case 'int4':
      return [weightBytes(weight)];
    case 'int8-scales':
      return [packedChannels(weight.matrix.n)];
  }
}
