import {
  int4Block,
  int8DepthUnit,
  integerChannels,
  integerKernels,
  integerPiece,
  integerRowGroups,
  integerSumDepth,
  packedChannels,
  paddedDepth,
  type DTypeName,
  type IntegerType,
} from '@canopy/protocol';
import { passes } from './passes.js';
import { Counts, type Work } from './work.js';

/** The integers that a Linear's weights of a type are; undefined of floats. */
export function integerTypeOf(dtype: DTypeName | undefined): IntegerType | undefined {
  if (dtype === 'int8') return 'int8';
  return dtype === 'uint8' ? 'int4' : undefined;
}

/** All passes over the weights of one group of rows: their depths, and whether they begin sums. */
function passesOf(
  type: IntegerType,
  rows: number,
  depth: number,
): { depth: number; first: boolean }[] {
  const kernels: Readonly<Record<number, readonly number[]>> = integerKernels[type];
  const sumDepth = type === 'int4' ? Infinity : integerSumDepth;
  let at = 0;
  return passes(kernels[rows]!, integerPiece, depth).map((some) => {
    const first = at % sumDepth === 0;
    at += some;
    return { depth: some, first };
  });
}

/** Numbers that each row turns into 16-bit integers. */
function quantizeWork(rows: number, depth: number): Work {
  const counts = new Counts().add('row', rows).add('turn', rows * Math.floor(depth / 64));
  counts.add('vector', rows * Math.floor((depth % 64) / 8)).add('tail', rows * (depth % 8));
  return { kernel: 'quantize', counts: counts.counts };
}

/** Sums of so many rows that become results, so many times. */
function scaleWork(type: IntegerType, rows: number, channels: number, times: number): Work {
  const counts = new Counts();
  for (let first = 0; first < channels; first += integerChannels) {
    const some = Math.min(integerChannels, channels - first);
    counts.add('row', rows * times).add('turn', rows * times * Math.floor(some / 32));
    counts.add('vector', rows * times * Math.floor((some % 32) / 4));
    counts.add('tail', rows * times * Number(some % 4 > 0));
  }
  return { kernel: `${type}.scale`, counts: counts.counts };
}

/** The passes of rows over integer weights [depth, channels], by kernels with names of their own. */
function passesWork(
  name: string,
  type: IntegerType,
  rows: number,
  padded: number,
  channels: number,
): Work[] {
  const vectors = packedChannels(channels) / 4;
  const chunks = Math.ceil(channels / integerChannels);
  return integerRowGroups(type, rows).map(({ rows: some, times }) => {
    // Of one row, weights go straight into products.
    const kernel = `${name}.${some === 1 ? 'row' : 'rows'}`;
    const counts = new Counts();
    for (const pass of passesOf(type, some, padded)) {
      const turns = times * vectors;
      const pairs = pass.depth / 2;
      counts.add('dot', turns * pairs * some);
      if (some > 1) counts.add('pair', turns * pairs);
      counts.add(pass.first ? 'begun' : 'sum', turns * some).add('turn', turns);
      counts.add('spread', times * chunks * pairs * some).add('pass', times * chunks);
    }
    return { kernel, counts: counts.counts };
  });
}

/** Sums of rows of bytes through an int8 matrix, without what is done before and after. */
export function byteProducts(rows: number, depth: number, channels: number): Work[] {
  return passesWork('bytes', 'int8', rows, paddedDepth(depth, int8DepthUnit), channels);
}

/** A matrix [rows, depth] through integer weights [depth, channels]. */
export function integerWork(
  type: IntegerType,
  rows: number,
  depth: number,
  channels: number,
): Work[] {
  if (rows === 0 || depth === 0 || channels === 0) return [];
  const padded = paddedDepth(depth, type === 'int4' ? int4Block : int8DepthUnit);
  const chunks = Math.ceil(channels / integerChannels);
  const groups = new Counts();
  for (const { times } of integerRowGroups(type, rows)) {
    groups.add('group', times).add('piece', times * chunks * Math.ceil(padded / integerPiece));
  }
  const sums = type === 'int4' ? 1 : Math.ceil(padded / integerSumDepth);
  return [
    { kernel: 'integerProduct', counts: groups.counts },
    quantizeWork(rows, depth),
    ...passesWork(type, type, rows, padded, channels),
    scaleWork(type, rows, channels, sums),
  ];
}
