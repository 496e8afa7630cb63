import { describe, expect, test } from 'vitest';
import {
  collectDim,
  collectInput,
  parseBytes,
  parseCallers,
  parseCanisters,
  parseCount,
  parseCounts,
  parseCountOrAuto,
  parseCycles,
  parseDuration,
  parseNumbers,
  parsePixels,
  parsePositive,
  parsePositives,
} from './options.js';

describe('options', () => {
  test.each([
    ['4096', 4096],
    ['4MiB', 4 * 1024 ** 2],
    ['4 mib', 4 * 1024 ** 2],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['500kB', 500_000],
    ['7b', 7],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });
  test.each(['', '4 apples', '-1MiB', 'MiB', '0', '1e3'])('"%s" is no size', (text) => {
    expect(() => parseBytes(text)).toThrow('is no size');
  });

  test('cycles', () => {
    expect(parseCycles('2T')).toBe(2_000_000_000_000n);
    expect(parseCycles('1.25t')).toBe(1_250_000_000_000n);
    expect(parseCycles('500 B')).toBe(500_000_000_000n);
    expect(parseCycles('12_345')).toBe(12_345n);
    for (const text of ['', '0', '0T', '1.5', '1.0000001M', '-1T', '2 TB', 'many']) {
      expect(() => parseCycles(text)).toThrow(/is no amount of cycles|must be above 0/);
    }
  });

  test('canisters of a file', () => {
    expect(parseCanisters('a-b # coordinator\n\n c-d, e-f\n')).toEqual(['a-b', 'c-d', 'e-f']);
    expect(() => parseCanisters('a-b a-b')).toThrow('a-b is named twice');
  });

  test('callers', () => {
    expect(parseCallers(' open')).toBe('open');
    expect(parseCallers('aaaaa-aa, 2vxsx-fae')).toEqual(['aaaaa-aa', '2vxsx-fae']);
    for (const text of ['', 'everybody', 'aaaaa-aa,', 'AAAAA-AA', 'a b-c']) {
      expect(() => parseCallers(text)).toThrow('is no principal');
    }
  });

  test('counts and workers', () => {
    expect(parseCount('3')).toBe(3);
    expect(parseCounts('1, 4,8')).toEqual([1, 4, 8]);
    expect(() => parseCounts('1,,2')).toThrow('no whole number');
    expect(parseCountOrAuto('auto')).toBe('auto');
    expect(parseCountOrAuto('8')).toBe(8);
    for (const text of ['0', '-2', '1.5', 'many', '']) {
      expect(() => parseCountOrAuto(text)).toThrow('whole number');
    }
  });

  test('inputs and sizes add up, and names may hold "="', () => {
    expect(collectInput('b=2', ['a=1'])).toEqual(['a=1', 'b=2']);
    expect(collectInput('x=1=dir/a=b.npy')).toEqual(['x=1=dir/a=b.npy']);
    for (const text of ['x', '=x', 'x=']) expect(() => collectInput(text)).toThrow('name=file');
    expect(collectDim('batch=8', { seq: 2 })).toEqual({ seq: 2, batch: 8 });
    expect(collectDim('past=1=8')).toEqual({ 'past=1': 8 });
    expect(() => collectDim('batch=many')).toThrow('whole number');
    expect(() => collectDim('batch')).toThrow('name=size');
    expect(() => collectDim('batch=3', { batch: 2 })).toThrow('"batch" is given twice');
  });

  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['2H', 7_200_000],
    ['30', 30_000],
  ])('%s is %i milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
  test.each(['', '0', '-1s', '5 days', 's'])('"%s" is no time', (text) => {
    expect(() => parseDuration(text)).toThrow('is no time');
  });

  test('pixels and numbers', () => {
    expect(parsePixels('224x112')).toEqual({ width: 224, height: 112 });
    expect(parsePixels('224')).toEqual({ width: 224, height: 224 });
    for (const text of ['', '0', '3x', 'x3', '3x0', '-3', '3.5']) {
      expect(() => parsePixels(text)).toThrow('224x224');
    }
    expect(parseNumbers('0.5, -1,2e-3')).toEqual([0.5, -1, 0.002]);
    for (const text of ['', '1,,2', 'a', 'Infinity']) expect(() => parseNumbers(text)).toThrow();
    expect(() => parsePositives('1,0')).toThrow('above 0');
    expect(parsePositive('255')).toBe(255);
    expect(() => parsePositive('1,2')).toThrow('not one number');
  });
});
