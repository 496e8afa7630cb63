import { dtypeBytes, elementCount, type TensorSpec } from '@canopy/protocol';
import { viewAs } from '@canopy/client/typed-array';
import { CommandError } from '../errors.js';
import { toHalfBits } from '../tensors/float16.js';
import { typeText, type TensorValue } from '../tensors/tensor-value.js';
import type { Picture } from './picture.js';
import { resize } from './resize.js';

/** How a picture becomes a tensor; flags of `canopy run`. */
export interface PictureOptions {
  /** Pixels to scale to. */
  resize?: { width: number; height: number };
  layout?: 'nchw' | 'nhwc';
  /** Which colours a pixel has, in order. Default: rgb, or gray where the model takes one channel. */
  colors?: 'rgb' | 'bgr' | 'gray';
  /** Value of full brightness, before `mean` and `std`. Default: 1; 255 of whole numbers. */
  range?: number;
  /** Taken off each channel, then divided by `std`; one number for all, or one for each. */
  mean?: readonly number[];
  std?: readonly number[];
}

type Dim = number | string;

/** Sizes a picture must have for an input; names where the model leaves them open. */
interface Wanted {
  layout: 'nchw' | 'nhwc';
  channels: Dim;
  height: Dim;
  width: Dim;
  /** Dimensions in front of them. */
  batch: readonly Dim[];
}

const isChannels = (dim: Dim | undefined): boolean => dim === 1 || dim === 3;

function wantedOf(spec: TensorSpec, asked: PictureOptions['layout']): Wanted {
  const rank = spec.dims.length;
  if (rank !== 3 && rank !== 4) {
    throw new CommandError(`a picture needs an input of 3 or 4 dimensions, not ${typeText(spec)}`);
  }
  const [first, second, third] = spec.dims.slice(-3) as [Dim, Dim, Dim];
  const batch = spec.dims.slice(0, rank - 3);
  const layout = asked ?? layoutOf(first, third, spec);
  return layout === 'nchw'
    ? { layout, channels: first, height: second, width: third, batch }
    : { layout, channels: third, height: first, width: second, batch };
}

/** Where the channels stand, by the dimension that can be their number. */
function layoutOf(first: Dim, last: Dim, spec: TensorSpec): 'nchw' | 'nhwc' {
  if (isChannels(first) !== isChannels(last)) return isChannels(first) ? 'nchw' : 'nhwc';
  throw new CommandError(
    `${typeText(spec)} does not show where the channels stand: say --layout nchw or --layout nhwc`,
  );
}

function checkSizes({ width, height }: Picture, wanted: Wanted): void {
  const fits = (size: number, dim: Dim): boolean => typeof dim === 'string' || dim === size;
  if (fits(width, wanted.width) && fits(height, wanted.height)) return;
  const size = `${wanted.width}x${wanted.height}`;
  const advice =
    typeof wanted.width === 'number' && typeof wanted.height === 'number'
      ? `--resize ${size} scales it`
      : 'scale it with --resize WIDTHxHEIGHT';
  throw new CommandError(
    `the picture has ${width}x${height} pixels, the model takes ${size}: ${advice}`,
  );
}

function colorsOf(channels: Dim, asked: PictureOptions['colors']): 'rgb' | 'bgr' | 'gray' {
  const colors = asked ?? (channels === 1 ? 'gray' : 'rgb');
  const count = colors === 'gray' ? 1 : 3;
  if (typeof channels === 'number' && channels !== count) {
    throw new CommandError(
      `the model takes ${channels} channels, ${colors} has ${count}` +
        (isChannels(channels) ? `: say --colors ${channels === 1 ? 'gray' : 'rgb'}` : ''),
    );
  }
  return colors;
}

/** Weights of red, green and blue in each channel; gray as ITU-R BT.601 has it. */
const mixes = {
  rgb: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  bgr: [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ],
  gray: [[0.299, 0.587, 0.114]],
} as const;

/** One number for each channel. */
function perChannel(
  values: readonly number[] | undefined,
  otherwise: number,
  count: number,
  flag: string,
): number[] {
  const given = values ?? [otherwise];
  if (given.length === 1) return Array.from({ length: count }, () => given[0]!);
  if (given.length === count) return [...given];
  throw new CommandError(`${flag} has ${given.length} numbers, the model ${count} channels`);
}

/** Writes one element, as the type needs it. */
function storeInto({ dtype, data }: TensorValue): (index: number, value: number) => void {
  const array = viewAs(dtype, data);
  if (array instanceof BigInt64Array || array instanceof BigUint64Array || dtype === 'bool') {
    throw new CommandError(`a picture cannot be a tensor of ${dtype}`);
  }
  switch (dtype) {
    case 'float32':
    case 'float64':
      return (index, value) => (array[index] = value);
    case 'float16':
      return (index, value) => (array[index] = toHalfBits(value));
    case 'uint8':
      return (index, value) => (array[index] = Math.min(255, Math.max(0, Math.round(value))));
    default:
      return (index, value) => (array[index] = Math.round(value));
  }
}

/**
 * Makes the tensor of a picture that an input of a model takes. Where the picture does not fit and no
 * option says how to make it fit, it is refused. Throws {@link CommandError}.
 */
export function pictureTensor(
  picture: Picture,
  spec: TensorSpec,
  options: PictureOptions,
): TensorValue {
  const wanted = wantedOf(spec, options.layout);
  if (wanted.batch.some((dim) => typeof dim === 'number' && dim !== 1)) {
    throw new CommandError(
      `the model takes ${wanted.batch[0]!} pictures at once: give them as .npy`,
    );
  }
  const scaled = options.resize
    ? resize(picture, options.resize.width, options.resize.height)
    : picture;
  checkSizes(scaled, wanted);
  const mix = mixes[colorsOf(wanted.channels, options.colors)];
  const channels = mix.length;
  const isReal = spec.dtype.startsWith('float');
  if (!isReal && (options.mean ?? options.std)) {
    throw new CommandError(`--mean and --std are for inputs of floats, not of ${spec.dtype}`);
  }
  const range = options.range ?? (isReal ? 1 : 255);
  const mean = perChannel(options.mean, 0, channels, '--mean');
  const std = perChannel(options.std, 1, channels, '--std');

  const { width, height, pixels } = scaled;
  const shape = wanted.layout === 'nchw' ? [channels, height, width] : [height, width, channels];
  const dims = [...wanted.batch.map(() => 1), ...shape];
  const data = new Uint8Array(elementCount(dims) * dtypeBytes(spec.dtype));
  const tensor: TensorValue = { dtype: spec.dtype, dims, data };
  const store = storeInto(tensor);
  const area = width * height;
  for (let pixel = 0; pixel < area; pixel++) {
    mix.forEach(([red, green, blue], channel) => {
      const at = pixel * 3;
      const bright = red * pixels[at]! + green * pixels[at + 1]! + blue * pixels[at + 2]!;
      const value = (bright * range - mean[channel]!) / std[channel]!;
      const index = wanted.layout === 'nchw' ? channel * area + pixel : pixel * channels + channel;
      store(index, value);
    });
  }
  return tensor;
}
