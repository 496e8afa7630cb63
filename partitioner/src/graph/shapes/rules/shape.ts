import type { DTypeName } from '@canopy/protocol';
import { allFloats, allInts } from '../../constant.js';
import { type Facts, NotDerivable } from '../facts.js';
import { likeFirst, type Rule } from '../operation.js';

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

export const shapes: Record<string, Rule> = { Constant: constant, Bernoulli: likeFirst() };
