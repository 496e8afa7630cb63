import type { DTypeName } from '@canopy/protocol';
import { allFloats, allInts } from '../../constant.js';
import { multiply } from '../dim.js';
import { elements, type Facts, NotDerivable } from '../facts.js';
import { likeFirst, type Rule } from '../operation.js';

const tile: Rule = (op) => {
  const repeats = op.facts(1).values;
  const dims = op.dims(0).map((dim, axis) => {
    const times = repeats?.[axis];
    return times === undefined ? op.open(0, axis) : multiply(dim, times);
  });
  return [{ dtype: op.dtype(0), dims }];
};

/** A constant from an attribute other than a tensor. */
const constant: Rule = (op) => {
  for (const [name, { kind, ...attribute }] of op.node.attributes) {
    const value = (attribute as { value?: unknown }).value;
    const list = (Array.isArray(value) ? value : [value]) as number[];
    const dims = name.endsWith('s') ? [list.length] : [];
    if (kind === 'int' || kind === 'ints') return [{ dtype: 'int64', dims, values: list }];
    if (kind === 'float' || kind === 'floats') return [{ dtype: 'float32', dims }];
  }
  const tensor = op.attribute('value');
  if (tensor?.kind !== 'tensor') throw new NotDerivable('it holds no numbers');
  const { dtype, dims } = tensor.value;
  return [{ dtype, dims }];
};

/** Most elements of an f32 constant that are followed: factors of sizes, not weights. */
const mostFloats = 16;

/** Whole numbers of a small constant, a bool as 0 or 1, an f32 where it is whole. */
export function constantFacts(value: {
  dtype: DTypeName;
  dims: readonly number[];
  read(start: number, length: number): Uint8Array;
}): Facts {
  const { dtype, dims } = value;
  const count = dims.reduce((total, dim) => total * dim, 1);
  if (count > 1024) return { dtype, dims };
  if (dtype === 'int64' || dtype === 'int32') return { dtype, dims, values: allInts(value) };
  if (dtype === 'bool') return { dtype, dims, values: [...value.read(0, count)] };
  if (dtype !== 'float32' || count > mostFloats) return { dtype, dims };
  const values = Array.from(allFloats(value), (number) =>
    Number.isSafeInteger(number) ? number : undefined,
  );
  return { dtype, dims, values };
}

export const shapes: Record<string, Rule> = {
  Size: (op) => [{ dtype: 'int64', dims: [], values: [elements(op.dims(0))] }],
  Tile: tile,
  Constant: constant,
  Trilu: likeFirst(),
  CumSum: likeFirst(),
  ReverseSequence: likeFirst(),
};
