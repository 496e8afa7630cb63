import { CommandError } from '../errors.js';
import { orientationOf, upright } from './orientation.js';
import { fromRgba, type Picture } from './picture.js';

/** Largest JPEG in million pixels, and what decoding it may take of memory in MiB. */
const maxResolutionInMP = 200;
const maxMemoryUsageInMB = 4096;

const startsWith = (bytes: Uint8Array, ...start: number[]): boolean =>
  start.every((byte, index) => bytes[index] === byte);

async function decodePng(bytes: Uint8Array): Promise<Picture> {
  const { PNG } = await import('pngjs');
  const { width, height, data } = PNG.sync.read(Buffer.from(bytes));
  return fromRgba(width, height, data);
}

async function decodeJpeg(bytes: Uint8Array): Promise<Picture> {
  const { default: jpeg } = await import('jpeg-js');
  const decoded = jpeg.decode(bytes, {
    useTArray: true,
    tolerantDecoding: false,
    maxResolutionInMP,
    maxMemoryUsageInMB,
  });
  const { width, height, data } = decoded;
  // The types do not know the field.
  const { exifBuffer } = decoded as { exifBuffer?: Uint8Array };
  return upright(fromRgba(width, height, data), orientationOf(exifBuffer));
}

/**
 * Reads a PNG or JPEG picture, whatever its name ends in; one of a camera that was held sideways stands
 * upright. Throws {@link CommandError}.
 */
export async function decodePicture(bytes: Uint8Array): Promise<Picture> {
  const isPng = startsWith(bytes, 0x89, 0x50, 0x4e, 0x47);
  if (!isPng && !startsWith(bytes, 0xff, 0xd8)) {
    throw new CommandError('neither a PNG nor a JPEG picture: convert it to one of them');
  }
  try {
    return await (isPng ? decodePng(bytes) : decodeJpeg(bytes));
  } catch (error) {
    const kind = isPng ? 'PNG' : 'JPEG';
    throw new CommandError(`the ${kind} picture cannot be read: ${(error as Error).message}`);
  }
}
