/** What an argument says of its types, read before its values are. */
import { CanisterError } from '@canopy/protocol';
import { CoordinatorError } from '../error.js';

/** Types of the Candid specification, "Binary format", by their numbers. */
const nat8 = -5;
const text = -15;
const opt = -18;
const vec = -19;
const record = -20;
const variant = -21;
/** Values of these take no bytes: null, reserved, empty. */
const hollow = new Set([-1, -16, -17]);

/** More types, fields and arguments than any method needs. */
const mostTypes = 64;
const mostFields = 64;

interface Type {
  kind: number;
  /** Types it is made of: numbers of the specification, or places in the table. */
  parts: number[];
}

function refuse(reason: string): never {
  throw new CoordinatorError(
    CanisterError.badMessage,
    `the argument is not the Candid of this method: ${reason}`,
  );
}

class Reader {
  at = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    return this.bytes[this.at++] ?? refuse('it ends early');
  }
  /** A number below 2^32. */
  leb(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    refuse('a number is too large');
  }
  /** A type: a signed number. */
  type(): number {
    const value = this.leb();
    return value >= 64 && value < 128 ? value - 128 : value;
  }
  /** As {@link leb}, at most so many. */
  count(most: number): number {
    const value = this.leb();
    return value <= most
      ? value
      : refuse(`it has ${value} types, fields or arguments in one place`);
  }
}

/** The types of an argument, and where its values begin. */
interface Header {
  table: Type[];
  args: number[];
  valuesAt: number;
}

function readHeader(bytes: Uint8Array): Header {
  const input = new Reader(bytes);
  for (const letter of 'DIDL') {
    if (input.byte() !== letter.charCodeAt(0)) refuse('it does not begin with "DIDL"');
  }
  const table = Array.from({ length: input.count(mostTypes) }, () => readType(input));
  const args = Array.from({ length: input.count(mostFields) }, () => input.type());
  return { table, args, valuesAt: input.at };
}

function readType(input: Reader): Type {
  const kind = input.type();
  if (kind === opt || kind === vec) return { kind, parts: [input.type()] };
  if (kind !== record && kind !== variant) refuse('it has a type that no method takes');
  const parts = Array.from({ length: input.count(mostFields) }, () => {
    input.leb();
    return input.type();
  });
  return { kind, parts };
}

/**
 * Refuses types by which a short message would keep a reader busy for ever: such that contain themselves, and
 * lists of what takes no bytes, which may be of any length.
 */
function checkTypes({ table, args }: Header): void {
  /** Whether values of a type may take no bytes. */
  const known = new Map<number, boolean>();
  const open = new Set<number>();
  const isHollow = (type: number): boolean => {
    if (type < 0) return hollow.has(type);
    const entry = table[type] ?? refuse('it names a type that is not there');
    const before = known.get(type);
    if (before !== undefined) return before;
    if (open.has(type)) refuse('a type contains itself');
    open.add(type);
    const parts = entry.parts.map(isHollow);
    if (entry.kind === vec && parts[0]!) refuse('it has a list of nothing');
    const result = entry.kind === record && parts.every((part) => part);
    open.delete(type);
    known.set(type, result);
    return result;
  };
  table.forEach((_, index) => isHollow(index));
  args.forEach(isHollow);
}

/** Throws {@link CoordinatorError} `bad-message` where an argument cannot be read in a time that its length bounds. */
export function checkArgument(bytes: Uint8Array): void {
  checkTypes(readHeader(bytes));
}

/**
 * An argument that begins with a text and a blob, cut in two: the blob, a view, and the same argument with an
 * empty one, which is short. Throws as {@link checkArgument}.
 */
export function takeBlobOut(bytes: Uint8Array): { blob: Uint8Array; rest: Uint8Array } {
  const header = readHeader(bytes);
  checkTypes(header);
  const [first, second = 0] = header.args;
  const type = header.table[second];
  if (first !== text || type?.kind !== vec || type.parts[0] !== nat8) {
    refuse('it does not begin with a text and a blob');
  }
  const input = new Reader(bytes);
  input.at = header.valuesAt;
  const nameBytes = input.leb();
  input.at += nameBytes;
  const lengthAt = input.at;
  const length = input.leb();
  const end = input.at + length;
  if (end > bytes.length) refuse('it ends early');
  const rest = new Uint8Array(lengthAt + 1 + bytes.length - end);
  rest.set(bytes.subarray(0, lengthAt));
  rest.set(bytes.subarray(end), lengthAt + 1);
  return { blob: bytes.subarray(input.at, end), rest };
}
