import { describe, expect, test } from 'vitest';
import type { DTypeName } from '@canopy/protocol';
import { viewAs } from '@canopy/client';
import { readJsonTensor as readTensor, toNestedLists } from './json.js';
import type { TensorValue } from './tensor-value.js';

const readJsonTensor = (
  text: string,
  dtype: DTypeName,
  dims: (number | string)[] = [],
): TensorValue => readTensor(text, { dtype, dims });

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

  test('dimensions that an empty list hides are those the model fixes', () => {
    expect(readJsonTensor('[[]]', 'float32', ['batch', 'past', 4]).dims).toEqual([1, 0, 4]);
    expect(readJsonTensor('[]', 'float32', ['batch', 2, 4]).dims).toEqual([0, 2, 4]);
    expect(readJsonTensor('[]', 'float32', ['batch', 'seq', 4]).dims).toEqual([0]);
    expect(readJsonTensor('[1]', 'float32', ['batch', 4]).dims).toEqual([1]);
  });

  test('float16 as the nearest half', () => {
    const tensor = readJsonTensor('[1, -0.1, 65504, "Infinity"]', 'float16');
    const bits = Uint16Array.of(0x3c00, 0xae66, 0x7bff, 0x7c00);
    expect(viewAs('float16', tensor.data)).toEqual(bits);
  });

  test('the ends of each type of whole numbers', () => {
    for (const [text, dtype] of [
      ['["9223372036854775807","-9223372036854775808"]', 'int64'],
      ['["18446744073709551615",0]', 'uint64'],
      ['[4294967295]', 'uint32'],
      ['[-128,127]', 'int8'],
    ] as [string, DTypeName][]) {
      expect(JSON.stringify(toNestedLists(readJsonTensor(text, dtype)))).toBe(text);
    }
  });

  test.each<[string, DTypeName, string]>([
    ['["9223372036854775808"]', 'int64', '[0]: 9223372036854775808 is no int64'],
    ['[-1]', 'uint64', '[0]: -1 is no uint64'],
    ['[9007199254740993]', 'int64', 'write those above 2^53 as text'],
    ['[1e39]', 'float32', '[0]: 1e+39 is beyond the numbers of float32'],
    ['[1e400]', 'float64', '[0]: Infinity is beyond the numbers of float64'],
    ['[65520]', 'float16', '[0]: 65520 is beyond the numbers of float16'],
    ['{"a": 1}', 'float32', 'the value: {"a":1} is no number'],
    ['[[[1]], [[]]]', 'float32', '[1][0]: expected a list of 1 as in the first, given 0'],
    ['[[1, 2], [3]]', 'float32', '[1]: expected a list of 2 as in the first, given 1'],
    ['[[1], 2]', 'float32', '[1]: expected a list of 1 as in the first, given 2'],
    ['[1, [2]]', 'float32', '[1]: a list where the others have a number'],
    ['[1, "a"]', 'float32', '[1]: "a" is no number'],
    ['[1, null]', 'float32', '[1]: null is no number'],
    ['[256]', 'uint8', '[0]: 256 is no uint8 (whole numbers from 0 to 255)'],
    ['[1.5]', 'int64', '[0]: 1.5 is no whole number'],
    ['[1.5]', 'int8', '[0]: 1.5 is no whole number'],
    ['[1', 'float32', 'not JSON'],
  ])('%s as %s is refused', (text, dtype, reason) => {
    expect(() => readJsonTensor(text, dtype)).toThrow(reason);
  });

  test('toNestedLists is its inverse', () => {
    for (const [text, dtype] of [
      ['[[1,2],[3,4]]', 'float32'],
      ['[[["9007199254740993"],[-1]]]', 'int64'],
      ['[true,false]', 'bool'],
      ['["NaN","-Infinity",0.5]', 'float64'],
      ['[0.5,-65504,"NaN"]', 'float16'],
      ['5', 'uint8'],
      ['[[],[]]', 'int8'],
    ] as [string, DTypeName][]) {
      expect(JSON.stringify(toNestedLists(readJsonTensor(text, dtype)))).toBe(text);
    }
  });
});
