import { describe, expect, test } from 'vitest';
import { viewAs } from '@canopy/client';
import { readTensorProto } from './pb.js';

const floats = new Uint8Array(Float32Array.of(1, -2).buffer);

describe('readTensorProto', () => {
  test('raw data, dims packed and not', () => {
    const expected = { dtype: 'float32', dims: [1, 2], data: floats };
    const raw = [0x4a, 8, ...floats];
    expect(readTensorProto(Uint8Array.of(0x0a, 2, 1, 2, 0x10, 1, ...raw))).toEqual(expected);
    expect(readTensorProto(Uint8Array.of(0x08, 1, 0x08, 2, 0x10, 1, ...raw))).toEqual(expected);
  });

  test('typed data: floats packed and one by one, integers with sign', () => {
    const packed = Uint8Array.of(0x08, 2, 0x10, 1, 0x22, 8, ...floats);
    expect(readTensorProto(packed).data).toEqual(floats);
    const single = [0x25, ...floats.subarray(0, 4), 0x25, ...floats.subarray(4)];
    expect(readTensorProto(Uint8Array.of(0x08, 2, 0x10, 1, ...single)).data).toEqual(floats);

    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    const longs = readTensorProto(Uint8Array.of(0x08, 2, 0x10, 7, 0x3a, 11, 5, ...minusOne));
    expect(viewAs('int64', longs.data)).toEqual(BigInt64Array.of(5n, -1n));
    const bytes = readTensorProto(Uint8Array.of(0x08, 2, 0x10, 3, 0x2a, 11, 5, ...minusOne));
    expect(viewAs('int8', bytes.data)).toEqual(Int8Array.of(5, -1));
  });

  test('names and unknown fields are passed over', () => {
    const named = Uint8Array.of(0x42, 1, 0x61, 0x62, 1, 0x62, 0x10, 2, 0x4a, 1, 9);
    expect(readTensorProto(named)).toEqual({ dtype: 'uint8', dims: [], data: Uint8Array.of(9) });
  });

  test.each([
    [[0x10, 8], 'type 8 is not supported'],
    [[0x08, 3, 0x10, 1, 0x4a, 8, ...floats], 'float32[3] takes 12 bytes, it holds 8'],
    [[0x10, 1, 0x4a, 100, 1], 'cut short'],
    [[0x0f], 'wire type 7'],
    [[0x10, 0x80], 'has no end'],
    [[0x10, 1, 0x6a, 0], 'keeps its data in another file'],
  ])('%j is refused', (bytes, reason) => {
    expect(() => readTensorProto(Uint8Array.from(bytes))).toThrow(reason);
  });
});
