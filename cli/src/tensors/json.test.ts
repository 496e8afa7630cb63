import { describe, expect, test } from 'vitest';
import type { DTypeName } from '@canopy/protocol';
import { viewAs } from '@canopy/client';
import { readJsonTensor, toNestedLists } from './json.js';

describe('readJsonTensor', () => {
  test('nested lists', () => {
    const tensor = readJsonTensor('[[1, 2.5], [-3, "NaN"], [0, "Infinity"]]', 'float32');
    expect(tensor.dims).toEqual([3, 2]);
    const values = Float32Array.of(1, 2.5, -3, NaN, 0, Infinity);
    expect(viewAs('float32', tensor.data)).toEqual(values);
  });

  test('scalars, empty lists, booleans, 64-bit integers', () => {
    expect(readJsonTensor('7', 'int32').dims).toEqual([]);
    expect(readJsonTensor('[]', 'int32').dims).toEqual([0]);
    expect(readJsonTensor('[true, false]', 'bool').data).toEqual(Uint8Array.of(1, 0));
    const wide = readJsonTensor('["9007199254740993", -1]', 'int64');
    expect(viewAs('int64', wide.data)).toEqual(BigInt64Array.of(9007199254740993n, -1n));
  });

  test.each<[string, DTypeName, string]>([
    ['[[1, 2], [3]]', 'float32', '[1]: expected a list of 2 as in the first, given 1'],
    ['[[1], 2]', 'float32', '[1]: expected a list of 1 as in the first, given 2'],
    ['[1, [2]]', 'float32', '[1]: a list where the others have a number'],
    ['[1, "a"]', 'float32', '[1]: "a" is no number'],
    ['[1, null]', 'float32', '[1]: null is no number'],
    ['[256]', 'uint8', '[0]: 256 is no uint8 (whole numbers from 0 to 255)'],
    ['[1.5]', 'int64', '[0]: 1.5 is no whole number'],
    ['[1', 'float32', 'not JSON'],
    ['[1]', 'float16', 'use .npy'],
  ])('%s as %s is refused', (text, dtype, reason) => {
    expect(() => readJsonTensor(text, dtype)).toThrow(reason);
  });

  test('toNestedLists is its inverse', () => {
    for (const [text, dtype] of [
      ['[[1,2],[3,4]]', 'float32'],
      ['[[["9007199254740993"],[-1]]]', 'int64'],
      ['[true,false]', 'bool'],
      ['["NaN","-Infinity",0.5]', 'float64'],
      ['5', 'uint8'],
      ['[[],[]]', 'int8'],
    ] as [string, DTypeName][]) {
      expect(JSON.stringify(toNestedLists(readJsonTensor(text, dtype)))).toBe(text);
    }
  });
});
