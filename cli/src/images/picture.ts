/** A picture: red, green and blue of each pixel, row by row, from 0 to 1. */
export interface Picture {
  width: number;
  height: number;
  /** [height, width, 3] */
  pixels: Float32Array;
}

/** A picture of RGBA bytes; what is transparent shows white behind it. */
export function fromRgba(width: number, height: number, rgba: Uint8Array): Picture {
  const pixels = new Float32Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const alpha = rgba[pixel * 4 + 3]! / 255;
    for (let color = 0; color < 3; color++) {
      pixels[pixel * 3 + color] = (rgba[pixel * 4 + color]! / 255) * alpha + (1 - alpha);
    }
  }
  return { width, height, pixels };
}
