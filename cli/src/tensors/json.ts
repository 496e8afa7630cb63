import { dtypeBytes, elementCount, type DTypeName } from '@canopy/protocol';
import { CommandError } from '../errors.js';
import { viewAs, type NumericArray } from '@canopy/client';
import type { TensorValue } from './tensor-value.js';

const isList = (value: unknown): value is unknown[] => Array.isArray(value);

/** Lengths of the first lists at each depth. */
function shapeOf(value: unknown): number[] {
  return isList(value) ? [value.length, ...shapeOf(value[0])] : [];
}

function numberOf(value: unknown, place: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw new CommandError(`${place}: ${JSON.stringify(value)} is no number`);
}

function bigintOf(value: unknown, place: string): bigint {
  if (typeof value === 'boolean') return BigInt(value);
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  throw new CommandError(
    `${place}: ${JSON.stringify(value)} is no whole number (write those above 2^53 as text)`,
  );
}

const integerRanges: Partial<Record<DTypeName, [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  bool: [0, 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

function store(
  array: NumericArray,
  index: number,
  dtype: DTypeName,
  value: unknown,
  place: string,
): void {
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
    array[index] = bigintOf(value, place);
    return;
  }
  const number = numberOf(value, place);
  const range = integerRanges[dtype];
  if (range && !(Number.isInteger(number) && number >= range[0] && number <= range[1])) {
    throw new CommandError(
      `${place}: ${number} is no ${dtype} (whole numbers from ${range[0]} to ${range[1]})`,
    );
  }
  array[index] = number;
}

/**
 * Reads nested lists of numbers, the outermost being dimension 0, as a tensor of type `dtype`; a number
 * alone is a scalar. Throws {@link CommandError} with the place of what is wrong, such as `[2][0]`.
 */
export function readJsonTensor(text: string, dtype: DTypeName): TensorValue {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`not JSON (${(error as Error).message})`);
  }
  if (dtype === 'float16') throw new CommandError('float16 cannot be given as JSON: use .npy');
  const dims = shapeOf(value);
  const data = new Uint8Array(elementCount(dims) * dtypeBytes(dtype));
  const array = viewAs(dtype, data);
  let index = 0;
  const fill = (part: unknown, depth: number, place: string): void => {
    if (depth === dims.length) {
      if (isList(part)) throw new CommandError(`${place}: a list where the others have a number`);
      store(array, index++, dtype, part, place || 'the value');
      return;
    }
    if (!isList(part) || part.length !== dims[depth]) {
      throw new CommandError(
        `${place}: expected a list of ${String(dims[depth])} as in the first, given ` +
          (isList(part) ? `${part.length}` : JSON.stringify(part)),
      );
    }
    part.forEach((inner, at) => {
      fill(inner, depth + 1, `${place}[${at}]`);
    });
  };
  fill(value, 0, '');
  return { dtype, dims, data };
}

/** Nested lists of a tensor, for JSON: 64-bit integers beyond 2^53 and what is no number as text. */
export function toNestedLists({ dtype, dims, data }: TensorValue): unknown {
  const array = viewAs(dtype, new Uint8Array(data));
  let index = 0;
  const element = (): unknown => {
    const value = array[index++]!;
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
