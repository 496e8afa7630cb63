import type { Picture } from './picture.js';

/** What each pixel of a line of `to` pixels takes of the `from` pixels of another. */
interface Share {
  start: number;
  /** Of the pixels from `start` on; their sum is 1. */
  weights: readonly number[];
}

/** A triangle over each pixel, as wide as what it stands for: bilinear, averaging where it shrinks. */
function shares(from: number, to: number): Share[] {
  const scale = from / to;
  const reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const center = (index + 0.5) * scale;
    const start = Math.max(0, Math.round(center - reach));
    const end = Math.min(from, Math.round(center + reach));
    const raw = Array.from({ length: end - start }, (_unused, at) =>
      Math.max(0, 1 - Math.abs((start + at + 0.5 - center) / reach)),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return { start, weights: raw.map((weight) => weight / sum) };
  });
}

/** Scales a picture, its proportions aside, as Pillow does with its filter `BILINEAR`. */
export function resize(picture: Picture, width: number, height: number): Picture {
  if (picture.width === width && picture.height === height) return picture;
  const columns = shares(picture.width, width);
  const wide = new Float32Array(picture.height * width * 3);
  for (let y = 0; y < picture.height; y++) {
    columns.forEach(({ start, weights }, x) => {
      for (let color = 0; color < 3; color++) {
        let sum = 0;
        weights.forEach((weight, at) => {
          sum += weight * picture.pixels[(y * picture.width + start + at) * 3 + color]!;
        });
        wide[(y * width + x) * 3 + color] = sum;
      }
    });
  }
  const pixels = new Float32Array(height * width * 3);
  const row = width * 3;
  shares(picture.height, height).forEach(({ start, weights }, y) => {
    weights.forEach((weight, at) => {
      for (let place = 0; place < row; place++) {
        pixels[y * row + place]! += weight * wide[(start + at) * row + place]!;
      }
    });
  });
  return { width, height, pixels };
}
