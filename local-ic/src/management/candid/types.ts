/**
 * Candid types of the management canister's interface, as values that also carry the TypeScript
 * type of what they describe. Candid specification, https://github.com/dfinity/candid/blob/master/spec/Candid.md
 */

/** Type opcodes of the binary format (signed LEB128 in a type table). */
export const opcode = {
  null: -1,
  bool: -2,
  nat: -3,
  int: -4,
  nat8: -5,
  nat16: -6,
  nat32: -7,
  nat64: -8,
  int8: -9,
  int16: -10,
  int32: -11,
  int64: -12,
  float32: -13,
  float64: -14,
  text: -15,
  reserved: -16,
  empty: -17,
  opt: -18,
  vec: -19,
  record: -20,
  variant: -21,
  func: -22,
  service: -23,
  principal: -24,
} as const;

export type PrimitiveKind =
  | 'null'
  | 'reserved'
  | 'bool'
  | 'nat'
  | 'nat8'
  | 'nat16'
  | 'nat32'
  | 'nat64'
  | 'int32'
  | 'int64'
  | 'text'
  | 'principal';

export interface Field {
  readonly name: string;
  readonly hash: number;
  readonly type: AnyType;
}

export type AnyType =
  | { readonly kind: PrimitiveKind | 'float32' | 'float64' }
  | { readonly kind: 'blob'; readonly check?: BlobCheck }
  | { readonly kind: 'opt' | 'vec'; readonly inner: AnyType }
  | {
      readonly kind: 'record' | 'variant';
      readonly fields: readonly Field[];
      /** Fields that texts of errors leave out. */
      readonly unprinted?: readonly string[];
    };

/** Tells why bytes are no value of a more special type, if they are not. */
export type BlobCheck = (bytes: Uint8Array) => string | undefined;

declare const value: unique symbol;

/** A Candid type whose values are represented by `T`. */
export type Type<T> = AnyType & { readonly [value]?: T };

/** The TypeScript type of the values of a Candid type. */
export type ValueOf<D> = D extends Type<infer T> ? T : never;

const primitive = <T>(kind: PrimitiveKind | 'float32' | 'float64' | 'blob'): Type<T> => ({ kind });

export const nul = primitive<null>('null');
export const reserved = primitive<null>('reserved');
export const bool = primitive<boolean>('bool');
export const nat = primitive<bigint>('nat');
export const nat8 = primitive<number>('nat8');
export const nat16 = primitive<number>('nat16');
export const nat32 = primitive<number>('nat32');
export const nat64 = primitive<bigint>('nat64');
export const int32 = primitive<number>('int32');
export const int64 = primitive<bigint>('int64');
/** Floats are kept as their bits, so that no NaN payload changes. */
export const float32Bits = primitive<number>('float32');
export const float64Bits = primitive<bigint>('float64');
export const text = primitive<string>('text');
/** A principal as its bytes. */
export const principal = primitive<Uint8Array>('principal');
/** `vec nat8`, kept as bytes. */
export const blob = primitive<Uint8Array>('blob');

/** Bytes of a more special type: those that `check` objects to are refused. */
export const checkedBlob = (check: BlobCheck): Type<Uint8Array> => ({ kind: 'blob', check });

export const opt = <T>(inner: Type<T>): Type<T | undefined> => ({ kind: 'opt', inner });
export const vec = <T>(inner: Type<T>): Type<T[]> => ({ kind: 'vec', inner });

type Fields = Record<string, AnyType>;

/** Fields in `unprinted` are younger than the texts of errors, which do not name them. */
export const record = <F extends Fields>(
  fields: F,
  unprinted: readonly (keyof F & string)[] = [],
): Type<{ [K in keyof F]: ValueOf<F[K]> }> => ({
  kind: 'record',
  fields: sorted(fields),
  unprinted,
});

/** Values are objects with the one field that is set: `{ upgrade: … }`. */
export const variant = <F extends Fields>(
  fields: F,
): Type<{ [K in keyof F]: { [P in K]: ValueOf<F[K]> } }[keyof F]> => ({
  kind: 'variant',
  fields: sorted(fields),
});

function sorted(fields: Fields): Field[] {
  return Object.entries(fields)
    .map(([name, type]) => ({ name, hash: labelHash(name), type }))
    .sort((a, b) => a.hash - b.hash);
}

/** The 32-bit id of a field label. A label that is a number is its own id. */
export function labelHash(label: string): number {
  if (/^\d+$/.test(label)) return Number(label);
  let hash = 0;
  for (const byte of new TextEncoder().encode(label)) hash = (Math.imul(hash, 223) + byte) >>> 0;
  return hash;
}
