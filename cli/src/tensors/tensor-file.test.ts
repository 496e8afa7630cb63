import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DType, dtypeBytes, elementCount, type DTypeName, type TensorSpec } from '@canopy/protocol';
import { writeNpy } from './npy.js';
import { readTensorFile } from './tensor-file.js';
import { elements } from './tensor-value.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'canopy-tensors-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const spec = (dtype: DTypeName, dims: TensorSpec['dims'] = ['n']): TensorSpec => ({
  name: 'x',
  dtype,
  dims,
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** A `TensorProto`: dimensions, type, name, and fields behind them. */
function tensorProto(dims: number[], type: number, name: string, ...more: number[]): Uint8Array {
  const nameBytes = Buffer.from(name);
  return Uint8Array.of(
    ...dims.flatMap((dim) => [0x08, dim]),
    ...[0x10, type, 0x42, nameBytes.length, ...nameBytes],
    ...more,
  );
}

describe('.pb', () => {
  const floats = [...new Uint8Array(Float32Array.of(1, -2).buffer)];
  const raw = [0x4a, floats.length, ...floats];

  test('data at any place of the file', async () => {
    for (let length = 0; length < 8; length++) {
      const bytes = tensorProto([2], 1, 'n'.repeat(length), ...raw);
      const tensor = await readTensorFile(await file('x.pb', bytes), spec('float32'));
      expect(elements(tensor)).toEqual(Float32Array.of(1, -2));
    }
  });

  test('typed data: floats packed and one by one, integers with sign', async () => {
    const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    const cases: [DTypeName, number[], ArrayBufferView][] = [
      ['float32', [0x22, 8, ...floats], Float32Array.of(1, -2)],
      ['float32', [0x25, ...floats.slice(0, 4), 0x25, ...floats.slice(4)], Float32Array.of(1, -2)],
      ['int64', [0x3a, 11, 5, ...minusOne], BigInt64Array.of(5n, -1n)],
      ['int32', [0x2a, 11, 5, ...minusOne], Int32Array.of(5, -1)],
      ['int8', [0x2a, 11, 5, ...minusOne], Int8Array.of(5, -1)],
      ['uint8', [0x2a, 3, 5, 0xff, 1], Uint8Array.of(5, 255)],
      ['bool', [0x2a, 2, 1, 0], Uint8Array.of(1, 0)],
      ['float16', [0x2a, 3, 0x80, 0x78, 0], Uint16Array.of(0x3c00, 0)],
      ['uint32', [0x5a, 2, 7, 8], Uint32Array.of(7, 8)],
      ['uint64', [0x5a, 11, 7, ...minusOne], BigUint64Array.of(7n, 2n ** 64n - 1n)],
      [
        'float64',
        [0x52, 16, ...new Uint8Array(Float64Array.of(0.5, -3).buffer)],
        Float64Array.of(0.5, -3),
      ],
    ];
    for (const [dtype, data, expected] of cases) {
      const path = await file('x.pb', tensorProto([2], DType[dtype], 'x', ...data));
      expect(elements(await readTensorFile(path, spec(dtype)))).toEqual(expected);
    }
  });

  test('sizes of 0', async () => {
    const path = await file('x.pb', tensorProto([1, 0, 4], 1, 'x'));
    const tensor = await readTensorFile(path, spec('float32', [1, 'past', 4]));
    expect(tensor).toMatchObject({ dims: [1, 0, 4], data: new Uint8Array() });
  });

  test('more numbers than a call can have arguments', async () => {
    const values = Float64Array.from({ length: 200_000 }, (_, index) => index);
    const length = [0x80, 0xd4, 0x61];
    const head = tensorProto([], 11, 'x', 0x08, 0xc0, 0x9a, 0x0c, 0x52, ...length);
    const path = await file('x.pb', Buffer.concat([head, new Uint8Array(values.buffer)]));
    expect(elements(await readTensorFile(path, spec('float64')))).toEqual(values);
  });

  test.each([
    [tensorProto([2], 17, 'x', ...raw), 'tensor "x" has element type float8e4m3fn'],
    [tensorProto([3], 1, 'x', ...raw), 'float32[3] takes 12 bytes, the file holds 8'],
    [tensorProto([2], 1, 'x', 0x4a, 100, 1), 'field 9 ends at byte'],
    [Uint8Array.of(0x0f), 'wire type 7'],
    [tensorProto([2], 7, 'x', 0x3a, 2, 1, 2), 'it holds int64[2], the model takes float32[n]'],
  ])('what cannot be taken is refused (%#)', async (bytes, reason) => {
    const path = await file('bad.pb', bytes);
    const attempt = readTensorFile(path, spec('float32'));
    await expect(attempt).rejects.toThrow(`input "x": ${path}: `);
    await expect(attempt).rejects.toThrow(reason);
  });
});

test('.npy files of every type, and of sizes of 0', async () => {
  for (const dtype of Object.keys(DType) as DTypeName[]) {
    for (const dims of [[], [3], [0], [2, 0, 3]]) {
      const data = new Uint8Array(elementCount(dims) * dtypeBytes(dtype)).fill(1);
      const path = await file('x.npy', writeNpy({ dtype, dims, data }));
      expect(await readTensorFile(path, spec(dtype))).toEqual({ dtype, dims, data });
    }
  }
});

describe('errors name the input, the file and what to do', () => {
  test('another type than the model takes', async () => {
    const data = new Uint8Array(16);
    const path = await file('x.npy', writeNpy({ dtype: 'float64', dims: [2], data }));
    await expect(readTensorFile(path, spec('float32'))).rejects.toThrow(
      `input "x": ${path}: it holds float64[2], the model takes float32[n]: save it with .astype(numpy.float32)`,
    );
  });

  test('no file, a folder, an unknown ending', async () => {
    const missing = join(folder, 'none.npy');
    await expect(readTensorFile(missing, spec('float32'))).rejects.toThrow(
      `input "x": ${missing}: there is no such file`,
    );
    await expect(readTensorFile(join(folder, '.'), spec('float32'))).rejects.toThrow('must end in');
    const text = await file('x.csv', '1,2');
    await expect(readTensorFile(text, spec('float32'))).rejects.toThrow(
      `input "x": ${text}: its name must end in .json, .npy, .pb`,
    );
  });
});
