import fc from 'fast-check';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import type { TensorSpec } from '@canopy/protocol';
import { elements } from '../tensors/tensor-value.js';
import { decodePicture } from './decode.js';
import { orientationOf, upright } from './orientation.js';
import { pictureTensor, type PictureOptions } from './picture-tensor.js';
import { fromRgba, type Picture } from './picture.js';
import { resize } from './resize.js';

/** Two pixels side by side: red, and half blue. */
const rgba = Uint8Array.of(255, 0, 0, 255, 0, 0, 128, 255);
const half = 128 / 255;

/** The first color of each pixel. */
const reds = ({ pixels }: Picture): number[] => [...pixels].filter((_, index) => index % 3 === 0);

/** A picture whose colors are numbered. */
function gray(width: number, height: number, values: readonly number[]): Picture {
  return { width, height, pixels: Float32Array.from(values.flatMap((one) => [one, one, one])) };
}

describe('decodePicture', () => {
  test.each([
    [{ colorType: 6, inputHasAlpha: true }],
    [{ colorType: 2, inputHasAlpha: true }],
  ] as const)('PNG with %j', async (options) => {
    const png = new PNG({ width: 2, height: 1 });
    png.data.set(rgba);
    const picture = await decodePicture(PNG.sync.write(png, options));
    expect(picture).toMatchObject({ width: 2, height: 1 });
    expect([...picture.pixels]).toEqual([1, 0, 0, 0, 0, expect.closeTo(half)]);
  });

  test('white shows behind what is transparent', () => {
    const { pixels } = fromRgba(1, 1, Uint8Array.of(0, 0, 255, 51));
    expect([...pixels]).toEqual([0.8, 0.8, 1].map((value) => expect.closeTo(value, 5) as unknown));
  });

  test('JPEG, whose losses are small', async () => {
    const data = Uint8Array.from({ length: 16 * 8 * 4 }, (_, index) =>
      index % 4 === 3 ? 255 : index % 4 === 0 ? 200 : 50,
    );
    const { data: bytes } = jpeg.encode({ width: 16, height: 8, data }, 95);
    const { width, height, pixels } = await decodePicture(bytes);
    expect([width, height]).toEqual([16, 8]);
    for (let index = 0; index < pixels.length; index++) {
      const expected = (index % 3 === 0 ? 200 : 50) / 255;
      expect(Math.abs(pixels[index]! - expected)).toBeLessThan(4 / 255);
    }
  });

  test('what is no picture, or cut short, is refused', async () => {
    await expect(decodePicture(Buffer.from('RIFF....WEBP'))).rejects.toThrow(
      'neither a PNG nor a JPEG picture: convert it',
    );
    const png = new PNG({ width: 20, height: 20 });
    const bytes = PNG.sync.write(png);
    await expect(decodePicture(bytes.subarray(0, 50))).rejects.toThrow(
      'the PNG picture cannot be read',
    );
    const { data } = jpeg.encode({ width: 64, height: 64, data: new Uint8Array(64 * 64 * 4) }, 90);
    await expect(decodePicture(data.subarray(0, data.length / 2))).rejects.toThrow(
      'the JPEG picture cannot be read',
    );
  });
});

describe('orientation', () => {
  /** EXIF data with one entry, the orientation. */
  function exif(orientation: number, little: boolean): Uint8Array {
    const bytes = new Uint8Array(6 + 8 + 2 + 12);
    bytes.set(Buffer.from('Exif\0\0'));
    const view = new DataView(bytes.buffer, 6);
    view.setUint16(0, little ? 0x4949 : 0x4d4d);
    view.setUint16(2, 42, little);
    view.setUint32(4, 8, little);
    view.setUint16(8, 1, little);
    view.setUint16(10, 0x0112, little);
    view.setUint16(12, 3, little);
    view.setUint32(14, 1, little);
    view.setUint16(18, orientation, little);
    return bytes;
  }

  test('is read in both orders of bytes, and is upright where there is none', () => {
    for (const little of [true, false]) expect(orientationOf(exif(6, little))).toBe(6);
    expect(orientationOf(undefined)).toBe(1);
    expect(orientationOf(exif(9, true))).toBe(1);
    expect(orientationOf(exif(6, true).subarray(0, 20))).toBe(1);
  });

  // Of the picture 1 2 / 3 4 / 5 6, as EXIF defines the sides of its first row and column.
  test.each([
    [1, 2, [1, 2, 3, 4, 5, 6]],
    [2, 2, [2, 1, 4, 3, 6, 5]],
    [3, 2, [6, 5, 4, 3, 2, 1]],
    [4, 2, [5, 6, 3, 4, 1, 2]],
    [5, 3, [1, 3, 5, 2, 4, 6]],
    [6, 3, [5, 3, 1, 6, 4, 2]],
    [7, 3, [6, 4, 2, 5, 3, 1]],
    [8, 3, [2, 4, 6, 1, 3, 5]],
  ])('%i', (orientation, width, expected) => {
    const turned = upright(gray(2, 3, [1, 2, 3, 4, 5, 6]), orientation);
    expect(turned.width).toBe(width);
    expect(reds(turned)).toEqual(expected);
  });
});

describe('resize', () => {
  test('half the width: a triangle over four pixels', () => {
    expect(reds(resize(gray(4, 1, [8, 0, 0, 0]), 2, 1))).toEqual([
      expect.closeTo((8 * 3) / 7, 5),
      expect.closeTo(8 * 0, 5) as unknown,
    ]);
    expect(reds(resize(gray(1, 4, [0, 0, 0, 7]), 1, 2))).toEqual([
      expect.closeTo(0, 5),
      expect.closeTo(3, 5) as unknown,
    ]);
  });

  test('twice the width: between the pixels', () => {
    expect(reds(resize(gray(2, 1, [0, 4]), 4, 1))).toEqual([0, 1, 3, 4]);
  });

  test('one brightness stays so', () => {
    const size = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(size, size, size, size, (width, height, toWidth, toHeight) => {
        const all = Array.from({ length: width * height }, () => 0.25);
        const { pixels } = resize(gray(width, height, all), toWidth, toHeight);
        expect(pixels).toHaveLength(toWidth * toHeight * 3);
        for (const value of pixels) expect(value).toBeCloseTo(0.25, 5);
      }),
    );
  });
});

describe('pictureTensor', () => {
  const picture = fromRgba(2, 1, rgba);
  const spec = (dims: TensorSpec['dims'], dtype: TensorSpec['dtype'] = 'float32'): TensorSpec => ({
    name: 'x',
    dtype,
    dims,
  });
  const tensorOf = (
    { dims, dtype }: TensorSpec,
    options: PictureOptions = {},
  ): { dims: readonly number[]; values: number[] } => {
    const tensor = pictureTensor(picture, { name: 'x', dims, dtype }, options);
    return { dims: tensor.dims, values: Array.from(elements(tensor), Number) };
  };
  const close = (...values: number[]): unknown[] =>
    values.map((value) => expect.closeTo(value, 4) as unknown);

  test('the layout is that of the model', () => {
    expect(tensorOf(spec(['N', 3, 1, 2]))).toEqual({
      dims: [1, 3, 1, 2],
      values: close(1, 0, 0, 0, 0, half),
    });
    expect(tensorOf(spec([1, 'h', 'w', 3]))).toEqual({
      dims: [1, 1, 2, 3],
      values: close(1, 0, 0, 0, 0, half),
    });
    expect(tensorOf(spec([3, 'h', 'w'])).dims).toEqual([3, 1, 2]);
    expect(tensorOf(spec(['a', 'b', 'c', 'd']), { layout: 'nhwc' }).dims).toEqual([1, 1, 2, 3]);
  });

  test('colours, gray, range, mean and std', () => {
    expect(tensorOf(spec([1, 3, 1, 2]), { colors: 'bgr' }).values).toEqual(
      close(0, half, 0, 0, 1, 0),
    );
    expect(tensorOf(spec([1, 1, 'h', 'w'])).values).toEqual(close(0.299, 0.114 * half));
    const options = { range: 255, mean: [10, 20, 30], std: [2, 4, 5] };
    expect(tensorOf(spec([1, 3, 1, 2]), options).values).toEqual(
      close(122.5, -5, -5, -5, -6, 19.6),
    );
    expect(tensorOf(spec([1, 3, 1, 2]), { mean: [0.5], std: [0.5] }).values).toEqual(
      close(1, -1, -1, -1, -1, 2 * half - 1),
    );
    expect(tensorOf(spec([1, 'h', 2, 3], 'uint8')).values).toEqual([255, 0, 0, 0, 0, 128]);
    expect(tensorOf(spec([1, 3, 1, 2], 'float16')).values[0]).toBe(0x3c00);
  });

  test('scaled to what the model takes', () => {
    const options = { resize: { width: 4, height: 2 } };
    expect(tensorOf(spec([1, 3, 2, 4]), options).dims).toEqual([1, 3, 2, 4]);
  });

  test.each<[TensorSpec, PictureOptions, string]>([
    [spec([1, 3, 224, 224]), {}, '2x1 pixels, the model takes 224x224: --resize 224x224 scales it'],
    [spec([1, 3, 'h', 9]), {}, 'scale it with --resize WIDTHxHEIGHT'],
    [spec([1, 'c', 'h', 'w']), {}, 'say --layout nchw or --layout nhwc'],
    [spec([1, 3, 1, 3]), {}, 'say --layout'],
    [spec([1, 2]), {}, 'needs an input of 3 or 4 dimensions, not float32[1,2]'],
    [spec([8, 3, 1, 2]), {}, 'takes 8 pictures at once'],
    [spec([1, 4, 1, 2]), { layout: 'nchw' }, 'takes 4 channels, rgb has 3'],
    [spec([1, 1, 'h', 'w']), { colors: 'rgb' }, 'say --colors gray'],
    [spec([1, 3, 1, 2]), { mean: [1, 2] }, '--mean has 2 numbers, the model 3 channels'],
    [spec([1, 3, 1, 2], 'uint8'), { std: [2] }, '--mean and --std are for inputs of floats'],
    [spec([1, 3, 1, 2], 'int64'), {}, 'cannot be a tensor of int64'],
  ])('%j with %j is refused', (input, options, reason) => {
    expect(() => pictureTensor(picture, input, options)).toThrow(reason);
  });
});
