import type { Picture } from './picture.js';

/** Tag of the orientation in EXIF data. Source: EXIF 2.32, 4.6.4. */
const orientationTag = 0x0112;

/**
 * How a camera was held, 1 to 8; 1, upright, where EXIF data do not say.
 *
 * @param exif the EXIF block, which begins with `Exif`
 */
export function orientationOf(exif: Uint8Array | undefined): number {
  const tiffStart = 6;
  if (exif === undefined || exif.length < tiffStart + 8) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset + tiffStart, exif.length - tiffStart);
  const little = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const count = view.getUint16(directory, little);
  for (let entry = 0; entry < count; entry++) {
    const at = directory + 2 + entry * 12;
    if (at + 12 > view.byteLength) return 1;
    if (view.getUint16(at, little) !== orientationTag) continue;
    const orientation = view.getUint16(at + 8, little);
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  }
  return 1;
}

/** Turns and mirrors a picture so that it stands upright. */
export function upright(picture: Picture, orientation: number): Picture {
  if (orientation === 1) return picture;
  const swaps = orientation >= 5;
  const width = swaps ? picture.height : picture.width;
  const height = swaps ? picture.width : picture.height;
  const pixels = new Float32Array(picture.pixels.length);
  const [lastX, lastY] = [picture.width - 1, picture.height - 1];
  /** Place in the stored picture of each place in the upright one. */
  const from = (x: number, y: number): [number, number] => {
    switch (orientation) {
      case 2:
        return [lastX - x, y];
      case 3:
        return [lastX - x, lastY - y];
      case 4:
        return [x, lastY - y];
      case 5:
        return [y, x];
      case 6:
        return [y, lastY - x];
      case 7:
        return [lastX - y, lastY - x];
      default:
        return [lastX - y, x];
    }
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = from(x, y);
      const start = (fromY * picture.width + fromX) * 3;
      pixels.set(picture.pixels.subarray(start, start + 3), (y * width + x) * 3);
    }
  }
  return { width, height, pixels };
}
