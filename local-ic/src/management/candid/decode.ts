import { ByteReader, EndOfBytes } from './bytes.js';
import { printType, wireTypeName } from './print.js';
import { opcode, type AnyType, type Type } from './types.js';

/** A payload that is not Candid, or not of the expected type. The text follows "Error decoding candid: ". */
export class CandidError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CandidError';
  }
}

/** A type as the sender wrote it: an opcode, or an entry of the payload's type table. */
type WireType = number | WireEntry;
type WireEntry =
  | { readonly kind: 'opt' | 'vec'; inner: number }
  | { readonly kind: 'record' | 'variant'; fields: { hash: number; type: number }[] }
  | { readonly kind: 'func' | 'service' };

/** Any value, read without an expected type: what a payload says about itself. */
export type GenericValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | readonly GenericValue[]
  | { readonly fields: ReadonlyMap<number, GenericValue> }
  | { readonly tag: number; readonly value: GenericValue };

/**
 * Decodes the first argument of a payload as `type`: fields the type does not name are skipped,
 * missing optional ones are absent. Throws CandidError.
 */
export function decode<T>(type: Type<T>, payload: Uint8Array): T {
  const decoder = open(payload);
  const wire = decoder.arguments[0];
  if (wire === undefined) {
    throw new CandidError(
      'No more values on the wire, the expected type record is not opt, null, or reserved',
    );
  }
  try {
    return guarded(payload, () => decoder.coerce(type, wire) as T);
  } catch (error) {
    if (!(error instanceof RefusedValue)) throw error;
    throw new CandidError(
      `Fail to decode argument 0 from ${wireTypeName(wire)} to ${printType(type)}: Deserialize error: ${error.message}`,
    );
  }
}

/** Decodes all arguments as what they say they are. Throws CandidError. */
export function decodeGeneric(payload: Uint8Array): GenericValue[] {
  const decoder = open(payload);
  return guarded(payload, () => decoder.arguments.map((wire) => decoder.generic(wire)));
}

function open(payload: Uint8Array): Decoder {
  try {
    return new Decoder(payload);
  } catch (error) {
    if (!(error instanceof EndOfBytes || error instanceof CandidError)) throw error;
    const hex = Buffer.from(payload).toString('hex');
    throw new CandidError(`Cannot parse header ${hex}: binary parser error: ${error.message}`);
  }
}

function guarded<T>(payload: Uint8Array, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof EndOfBytes)) throw error;
    throw new CandidError(`Unexpected end of ${payload.length} bytes of Candid data`);
  }
}

class Decoder {
  readonly arguments: readonly number[];
  readonly #reader: ByteReader;
  readonly #table: WireEntry[] = [];

  constructor(payload: Uint8Array) {
    const reader = new ByteReader(payload);
    this.#reader = reader;
    if (Buffer.from(reader.bytes(4)).toString('latin1') !== 'DIDL') {
      throw new CandidError('Unexpected bytes at byte offset 0');
    }
    for (let left = reader.size(); left > 0; left--) this.#table.push(this.#readEntry());
    const count = reader.size();
    this.arguments = Array.from({ length: Math.min(count, reader.left + 1) }, () => this.#type());
  }

  #type(): number {
    return Number(this.#reader.sleb());
  }

  #readEntry(): WireEntry {
    const reader = this.#reader;
    const code = this.#type();
    switch (code) {
      case opcode.opt:
        return { kind: 'opt', inner: this.#type() };
      case opcode.vec:
        return { kind: 'vec', inner: this.#type() };
      case opcode.record:
      case opcode.variant: {
        const fields = [];
        for (let left = reader.size(); left > 0; left--) {
          fields.push({ hash: reader.size(), type: this.#type() });
        }
        return { kind: code === opcode.record ? 'record' : 'variant', fields };
      }
      case opcode.func: {
        for (let lists = 0; lists < 2; lists++) {
          for (let left = reader.size(); left > 0; left--) this.#type();
        }
        reader.bytes(reader.size());
        return { kind: 'func' };
      }
      case opcode.service:
        for (let left = reader.size(); left > 0; left--) {
          reader.bytes(reader.size());
          this.#type();
        }
        return { kind: 'service' };
      default:
        throw new CandidError(`Unsupported type opcode ${code} at byte offset ${reader.position}`);
    }
  }

  #resolve(type: number): WireType {
    if (type < 0) return type;
    const entry = this.#table[type];
    if (entry === undefined) throw new CandidError(`type index ${type} is not in the type table`);
    return entry;
  }

  coerce(expected: AnyType, type: number): unknown {
    const wire = this.#resolve(type);
    if (expected.kind === 'opt') return this.#coerceOpt(expected.inner, type, wire);
    if (expected.kind === 'blob') {
      if (typeof wire !== 'object' || wire.kind !== 'vec' || wire.inner !== opcode.nat8) {
        throw mismatch(expected, wire);
      }
      const bytes = this.#reader.bytes(this.#reader.size()).slice();
      const objection = expected.check?.(bytes);
      if (objection !== undefined) throw new RefusedValue(objection);
      return bytes;
    }
    if (expected.kind === 'vec') {
      if (typeof wire !== 'object' || wire.kind !== 'vec') throw mismatch(expected, wire);
      const items = [];
      for (let left = this.#reader.size(); left > 0; left--) {
        items.push(this.coerce(expected.inner, wire.inner));
      }
      return items;
    }
    if (expected.kind === 'record') {
      if (typeof wire !== 'object' || wire.kind !== 'record') throw mismatch(expected, wire);
      return this.#coerceRecord(expected, wire.fields);
    }
    if (expected.kind === 'variant') {
      if (typeof wire !== 'object' || wire.kind !== 'variant') throw mismatch(expected, wire);
      const sent = wire.fields[this.#reader.size()];
      if (sent === undefined) throw new CandidError('Variant index out of range');
      const field = expected.fields.find(({ hash }) => hash === sent.hash);
      if (field === undefined) throw new CandidError(`Unknown variant field ${sent.hash}`);
      return { [field.name]: this.coerce(field.type, sent.type) };
    }
    if (wire !== opcode[expected.kind]) throw mismatch(expected, wire);
    return this.#primitive(wire);
  }

  #coerceOpt(inner: AnyType, type: number, wire: WireType): unknown {
    if (wire === opcode.null || wire === opcode.reserved) return undefined;
    if (typeof wire !== 'object' || wire.kind !== 'opt') {
      return this.#tryCoerce(inner, type);
    }
    if (this.#reader.byte() === 0) return undefined;
    return this.#tryCoerce(inner, wire.inner);
  }

  /** An optional value of another type reads as absent (Candid, rule for `opt`). */
  #tryCoerce(inner: AnyType, type: number): unknown {
    const start = this.#reader.position;
    try {
      return this.coerce(inner, type);
    } catch (error) {
      if (!(error instanceof CandidMismatch)) throw error;
      this.#reader.position = start;
      this.generic(type);
      return undefined;
    }
  }

  #coerceRecord(
    expected: Extract<AnyType, { kind: 'record' | 'variant' }>,
    fields: { hash: number; type: number }[],
  ): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const sent of fields) {
      const field = expected.fields.find(({ hash }) => hash === sent.hash);
      if (field === undefined) this.generic(sent.type);
      else result[field.name] = this.coerce(field.type, sent.type);
    }
    for (const field of expected.fields) {
      if (fields.some(({ hash }) => hash === field.hash)) continue;
      if (field.type.kind !== 'opt' && field.type.kind !== 'null') {
        throw new CandidMismatch(`field ${field.name} is not found`);
      }
      result[field.name] = field.type.kind === 'null' ? null : undefined;
    }
    return result;
  }

  generic(type: number): GenericValue {
    const wire = this.#resolve(type);
    if (typeof wire === 'number') return this.#primitive(wire);
    const reader = this.#reader;
    switch (wire.kind) {
      case 'opt':
        return reader.byte() === 0 ? [] : [this.generic(wire.inner)];
      case 'vec': {
        const length = reader.size();
        if (wire.inner === opcode.nat8) return reader.bytes(length).slice();
        const items: GenericValue[] = [];
        for (let left = length; left > 0; left--) items.push(this.generic(wire.inner));
        return items;
      }
      case 'record':
        return { fields: new Map(wire.fields.map((f) => [f.hash, this.generic(f.type)])) };
      case 'variant': {
        const field = wire.fields[reader.size()];
        if (field === undefined) throw new CandidError('Variant index out of range');
        return { tag: field.hash, value: this.generic(field.type) };
      }
      case 'func':
        return this.#function();
      case 'service':
        throw new CandidError(`a value of type ${wire.kind} is not supported here`);
    }
  }

  /** A method of a canister: the canister's id and the method's name. */
  #function(): GenericValue {
    const reader = this.#reader;
    if (reader.byte() !== 1) throw new CandidError('an opaque function reference');
    const canister = this.#primitive(opcode.principal);
    return [canister, this.#primitive(opcode.text)];
  }

  #primitive(code: number): null | boolean | bigint | number | string | Uint8Array {
    const reader = this.#reader;
    switch (code) {
      case opcode.null:
      case opcode.reserved:
        return null;
      case opcode.bool:
        return reader.byte() === 1;
      case opcode.nat:
        return reader.leb();
      case opcode.int:
        return reader.sleb();
      case opcode.nat8:
        return reader.byte();
      case opcode.nat16:
        return Number(reader.uint(2));
      case opcode.nat32:
        return Number(reader.uint(4));
      case opcode.nat64:
        return reader.uint(8);
      case opcode.int8:
        return Number(BigInt.asIntN(8, reader.uint(1)));
      case opcode.int16:
        return Number(BigInt.asIntN(16, reader.uint(2)));
      case opcode.int32:
        return Number(BigInt.asIntN(32, reader.uint(4)));
      case opcode.int64:
        return BigInt.asIntN(64, reader.uint(8));
      case opcode.float32:
        return Number(reader.uint(4));
      case opcode.float64:
        return reader.uint(8);
      case opcode.text:
        return utf8(reader.bytes(reader.size()));
      case opcode.principal:
        if (reader.byte() !== 1) throw new CandidError('an opaque principal reference');
        return reader.bytes(reader.size()).slice();
      default:
        throw new CandidError(`a value of the type with opcode ${code} cannot exist`);
    }
  }
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new CandidError('a text is not UTF-8');
  }
}

class CandidMismatch extends CandidError {}

/** A value of the right Candid type that is none of the more special type it stands for. */
class RefusedValue extends CandidError {}

function mismatch(expected: AnyType, wire: WireType): CandidMismatch {
  const found =
    typeof wire === 'object'
      ? wire.kind
      : (Object.entries(opcode).find(([, code]) => code === wire)?.[0] ?? `opcode ${wire}`);
  return new CandidMismatch(`Type mismatch: expected ${expected.kind}, found ${found}`);
}
