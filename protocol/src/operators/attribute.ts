import { DType, dtypeName, type DTypeName } from '../dtype.js';

/** How AssemblyScript reads an attribute: the generator of `worker/scripts/operators.mjs` knows these. */
export type AttributeKind =
  | 'i32'
  | 'u32'
  | 'bool'
  | 'f32'
  | 'f64'
  | 'bits64'
  | 'tuple'
  | 'list'
  | 'floats'
  | 'rest'
  | 'group';

/** Attribute words of a node, read from front to back. */
export interface WordReader {
  /** The next word; throws where there is none. */
  next(): number;
  /** Words that are left. */
  readonly left: number;
}

/** One attribute of an operator: how its value becomes 32-bit words and back. */
export interface AttributeType<Value> {
  readonly kind: AttributeKind;
  /** Words it takes; undefined where that depends on the value. */
  readonly words: number | undefined;
  encode(value: Value): number[];
  decode(words: WordReader): Value;
}

/** Attributes in the order of their words. */
export type AttributeList = Readonly<Record<string, AttributeType<unknown>>>;
export type ValueOf<Type> = Type extends AttributeType<infer Value> ? Value : never;
/** Values of all attributes of a list, by their names; `none` where there are no attributes. */
export type ValuesOf<List extends AttributeList> = keyof List extends never
  ? NoAttributes
  : { -readonly [Name in keyof List]: ValueOf<List[Name]> };

/** Of an operator without attributes. */
export interface NoAttributes {
  readonly none?: never;
}

const converter = new DataView(new ArrayBuffer(8));

/** An f32 by its bits. */
export function floatWord(value: number): number {
  converter.setFloat32(0, value);
  return converter.getUint32(0);
}
function wordFloat(word: number): number {
  converter.setUint32(0, word);
  return converter.getFloat32(0);
}

function word<Value>(
  kind: AttributeKind,
  encode: (value: Value) => number,
  decode: (word: number) => Value,
): AttributeType<Value> {
  return {
    kind,
    words: 1,
    encode: (value) => [encode(value)],
    decode: (words) => decode(words.next()),
  };
}

export const i32: AttributeType<number> = word(
  'i32',
  (value: number) => value,
  (bits) => bits | 0,
);
export const u32: AttributeType<number> = word(
  'u32',
  (value: number) => value,
  (bits) => bits >>> 0,
);
export const bool: AttributeType<boolean> = word('bool', Number, (bits) => bits !== 0);
export const f32: AttributeType<number> = word('f32', floatWord, wordFloat);

/** An f64 by its bits: the low word, then the high one. */
export const f64: AttributeType<number> = {
  kind: 'f64',
  words: 2,
  encode: (value) => {
    converter.setFloat64(0, value);
    return [converter.getUint32(4), converter.getUint32(0)];
  },
  decode: (words) => {
    converter.setUint32(4, words.next());
    converter.setUint32(0, words.next());
    return converter.getFloat64(0);
  },
};

/** 64 bits of any meaning: the low word, then the high one. */
export const bits64: AttributeType<bigint> = {
  kind: 'bits64',
  words: 2,
  encode: (value) => {
    converter.setBigInt64(0, BigInt.asIntN(64, value));
    return [converter.getUint32(4), converter.getUint32(0)];
  },
  decode: (words) => {
    converter.setUint32(4, words.next());
    converter.setUint32(0, words.next());
    return converter.getBigInt64(0);
  },
};

/** One of the names of a table, by its number. */
export function oneOf<Name extends string>(
  codes: Readonly<Record<Name, number>>,
): AttributeType<Name> {
  const names = new Map(Object.entries<number>(codes).map(([name, code]) => [code, name as Name]));
  return word(
    'u32',
    (name) => codes[name],
    (code) => {
      const name = names.get(code >>> 0);
      if (name === undefined) throw new RangeError(`code ${code} has no name`);
      return name;
    },
  );
}

export const dtype: AttributeType<DTypeName> = word(
  'u32',
  (name: DTypeName) => DType[name],
  (code) => {
    const name = dtypeName(code);
    if (name === undefined) throw new RangeError(`type ${code} is unknown`);
    return name;
  },
);

/** A fixed number of i32. */
export function tuple<Values extends readonly number[]>(
  length: Values['length'],
): AttributeType<Values> {
  return {
    kind: 'tuple',
    words: length,
    encode: (values) => [...values],
    decode: (words) =>
      Array.from({ length }, () => words.next() | 0) as readonly number[] as Values,
  };
}

/** A list of i32, its length first. Stands behind all attributes of fixed length. */
export const i32List: AttributeType<readonly number[]> = {
  kind: 'list',
  words: undefined,
  encode: (values) => [values.length, ...values],
  decode: (words) => Array.from({ length: lengthOf(words) }, () => words.next() | 0),
};

/** A list of f32, its length first. Stands behind all attributes of fixed length. */
export const f32List: AttributeType<readonly number[]> = {
  kind: 'floats',
  words: undefined,
  encode: (values) => [values.length, ...Array.from(values, floatWord)],
  decode: (words) => Array.from({ length: lengthOf(words) }, () => wordFloat(words.next())),
};

function lengthOf(words: WordReader): number {
  const length = words.next() >>> 0;
  if (length > words.left) throw new RangeError(`a list of ${length} in ${words.left} words`);
  return length;
}

/** All words that are left, as i32. Only as the last attribute. */
export const i32Rest: AttributeType<readonly number[]> = {
  kind: 'rest',
  words: undefined,
  encode: (values) => [...values],
  decode: (words) => Array.from({ length: words.left }, () => words.next() | 0),
};

/** Attributes of fixed length that several operators have in common, as one value. */
export function group<List extends AttributeList>(
  list: List,
): AttributeType<ValuesOf<List>> & { readonly list: List } {
  const words = Object.values(list).reduce((sum, { words }) => sum + words!, 0);
  return {
    kind: 'group',
    list,
    words,
    encode: (values) => encodeList(list, values as Readonly<Record<string, unknown>>),
    decode: (reader) => decodeList(list, reader) as ValuesOf<List>,
  };
}

/** The words of a node's attributes. */
export function encodeList(
  list: AttributeList,
  values: Readonly<Record<string, unknown>>,
): number[] {
  return Object.entries(list).flatMap(([name, type]) => type.encode(values[name]));
}

/** Undoes {@link encodeList}. Throws RangeError where the words are none of such a list. */
export function decodeList(list: AttributeList, words: WordReader): Record<string, unknown> {
  return Object.fromEntries(Object.entries(list).map(([name, type]) => [name, type.decode(words)]));
}
