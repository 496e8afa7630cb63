import { viewAs, type NumericArray } from '@canopy/client/typed-array';
import { dtypeBytes, elementCount, type DTypeName, type TensorSpec } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import { fromHalfBits, toHalfBits } from './float16.js';
import { elements, type TensorValue } from './tensor-value.js';

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

/** JSON of a value, short enough for an error. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** Lengths of the first lists at each depth. */
function shapeOf(value: unknown): number[] {
  const dims: number[] = [];
  for (let part = value; isList(part); part = part[0]) dims.push(part.length);
  return dims;
}

const wholeRanges: Partial<Record<DTypeName, [bigint, bigint]>> = {
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  bool: [0n, 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Exact value of a whole number; large ones are written as text. */
function wholeOf(value: unknown): bigint | undefined {
  if (typeof value === 'boolean') return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  return undefined;
}

function whole(value: unknown, dtype: DTypeName, [least, most]: [bigint, bigint]): bigint {
  const number = wholeOf(value);
  if (number === undefined) {
    throw new CommandError(
      `${shown(value)} is no whole number, as ${dtype} needs it (write those above 2^53 as text)`,
    );
  }
  if (number < least || number > most) {
    throw new CommandError(`${number} is no ${dtype} (whole numbers from ${least} to ${most})`);
  }
  return number;
}

function real(value: unknown, dtype: DTypeName): number {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number') throw new CommandError(`${shown(value)} is no number`);
  const stored =
    dtype === 'float32'
      ? Math.fround(number)
      : dtype === 'float16'
        ? fromHalfBits(toHalfBits(number))
        : number;
  if (!Number.isFinite(stored)) {
    throw new CommandError(
      `${number} is beyond the numbers of ${dtype} (write infinity as "Infinity")`,
    );
  }
  return number;
}

function store(array: NumericArray, index: number, dtype: DTypeName, value: unknown): void {
  const range = wholeRanges[dtype];
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    array[index] = whole(value, dtype, range!);
  } else if (range) array[index] = Number(whole(value, dtype, range));
  else if (dtype === 'float16') array[index] = toHalfBits(real(value, dtype));
  else array[index] = real(value, dtype);
}

/**
 * Dimensions of an empty tensor: lists cannot show those within an empty one, so they are taken from
 * the model where it fixes them.
 */
function withHiddenDims(dims: readonly number[], spec: Pick<TensorSpec, 'dims'>): number[] {
  const hidden = spec.dims.slice(dims.length);
  return dims.includes(0) && hidden.every((dim) => typeof dim === 'number')
    ? [...dims, ...hidden]
    : [...dims];
}

/**
 * Reads nested lists of numbers, the outermost being dimension 0, as a tensor of the type of `spec`; a
 * number alone is a scalar. Throws {@link CommandError} with the place of what is wrong, such as `[2][0]`.
 */
export function readJsonTensor(
  text: string,
  spec: Pick<TensorSpec, 'dtype' | 'dims'>,
): TensorValue {
  const { dtype } = spec;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`not JSON (${(error as Error).message})`);
  }
  const dims = shapeOf(value);
  const data = new Uint8Array(elementCount(dims) * dtypeBytes(dtype));
  const array = viewAs(dtype, data);
  let index = 0;
  const fill = (part: unknown, depth: number, place: string): void => {
    if (depth === dims.length) {
      if (isList(part)) throw new CommandError(`${place}: a list where the others have a number`);
      try {
        store(array, index++, dtype, part);
      } catch (error) {
        throw new CommandError(`${place || 'the value'}: ${(error as Error).message}`);
      }
      return;
    }
    if (!isList(part) || part.length !== dims[depth]) {
      throw new CommandError(
        `${place}: expected a list of ${String(dims[depth])} as in the first, given ` +
          (isList(part) ? `${part.length}` : shown(part)),
      );
    }
    part.forEach((inner, at) => {
      fill(inner, depth + 1, `${place}[${at}]`);
    });
  };
  fill(value, 0, '');
  return { dtype, dims: withHiddenDims(dims, spec), data };
}

/** Numbers of a tensor, 64-bit ones as BigInt; those of float16, too. */
export function numbersOf(tensor: Pick<TensorValue, 'dtype' | 'data'>): (number | bigint)[] {
  const array: Iterable<number | bigint> = elements(tensor);
  const values = [...array];
  return tensor.dtype === 'float16' ? values.map((bits) => fromHalfBits(Number(bits))) : values;
}

/** Nested lists of a tensor, for JSON: 64-bit integers beyond 2^53 and what is no number as text. */
export function toNestedLists({ dtype, dims, data }: TensorValue): unknown {
  const values = numbersOf({ dtype, data });
  let index = 0;
  const element = (): unknown => {
    const value = values[index++]!;
    if (dtype === 'bool') return value !== 0;
    if (typeof value === 'bigint') {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : value.toString();
    }
    return Number.isFinite(value) ? value : String(value);
  };
  const nest = (depth: number): unknown =>
    depth === dims.length ? element() : Array.from({ length: dims[depth]! }, () => nest(depth + 1));
  return nest(0);
}
