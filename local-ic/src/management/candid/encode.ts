import { ByteWriter } from './bytes.js';
import { opcode, type AnyType, type Type } from './types.js';

const magic = new TextEncoder().encode('DIDL');

/**
 * Encodes one argument. The type table has the order of the replica's encoder: a type gets its
 * index before the types it contains, equal types once, so that replies are equal byte for byte.
 */
export function encode<T>(type: Type<T>, value: T): Uint8Array {
  const writer = header(type);
  write(writer, type, value);
  return writer.finish();
}

/** The reply of a method that returns nothing: `()`. */
export const encodedUnit: Uint8Array = new Uint8Array([...magic, 0, 0]);

function header(type: AnyType): ByteWriter {
  const table: Uint8Array[] = [];
  const indexByShape = new Map<string, number>();

  const build = (t: AnyType): void => {
    if (!isCompound(t) || indexByShape.has(shape(t))) return;
    const index = table.length;
    indexByShape.set(shape(t), index);
    table.push(new Uint8Array());
    const entry = new ByteWriter();
    if (t.kind === 'blob') {
      entry.sleb(opcode.vec);
      entry.sleb(opcode.nat8);
    } else if (t.kind === 'opt' || t.kind === 'vec') {
      build(t.inner);
      entry.sleb(opcode[t.kind]);
      entry.sleb(reference(t.inner));
    } else if (t.kind === 'record' || t.kind === 'variant') {
      for (const field of t.fields) build(field.type);
      entry.sleb(opcode[t.kind]);
      entry.leb(t.fields.length);
      for (const field of t.fields) {
        entry.leb(field.hash);
        entry.sleb(reference(field.type));
      }
    }
    table[index] = entry.finish();
  };

  const reference = (t: AnyType): number => {
    if (isCompound(t)) return indexByShape.get(shape(t))!;
    return opcode[t.kind as keyof typeof opcode];
  };

  build(type);
  const writer = new ByteWriter();
  writer.bytes(magic);
  writer.leb(table.length);
  for (const entry of table) writer.bytes(entry);
  writer.leb(1);
  writer.sleb(reference(type));
  return writer;
}

function isCompound(type: AnyType): boolean {
  return ['opt', 'vec', 'blob', 'record', 'variant'].includes(type.kind);
}

function shape(type: AnyType): string {
  switch (type.kind) {
    case 'opt':
    case 'vec':
      return `${type.kind}(${shape(type.inner)})`;
    case 'record':
    case 'variant':
      return `${type.kind}{${type.fields.map((f) => `${f.hash}:${shape(f.type)}`).join(',')}}`;
    default:
      return type.kind;
  }
}

function write(writer: ByteWriter, type: AnyType, value: unknown): void {
  switch (type.kind) {
    case 'null':
    case 'reserved':
      return;
    case 'bool':
      writer.byte(value === true ? 1 : 0);
      return;
    case 'nat':
      writer.leb(value as bigint);
      return;
    case 'nat8':
      writer.byte(value as number);
      return;
    case 'nat16':
      writer.uint(BigInt(value as number), 2);
      return;
    case 'nat32':
    case 'int32':
    case 'float32':
      writer.uint(BigInt.asUintN(32, BigInt(value as number)), 4);
      return;
    case 'nat64':
    case 'int64':
    case 'float64':
      writer.uint(BigInt.asUintN(64, value as bigint), 8);
      return;
    case 'text': {
      const bytes = new TextEncoder().encode(value as string);
      writer.leb(bytes.length);
      writer.bytes(bytes);
      return;
    }
    case 'principal':
      writer.byte(1);
      writer.leb((value as Uint8Array).length);
      writer.bytes(value as Uint8Array);
      return;
    case 'blob':
      writer.leb((value as Uint8Array).length);
      writer.bytes(value as Uint8Array);
      return;
    case 'opt':
      writer.byte(value === undefined ? 0 : 1);
      if (value !== undefined) write(writer, type.inner, value);
      return;
    case 'vec':
      writer.leb((value as unknown[]).length);
      for (const item of value as unknown[]) write(writer, type.inner, item);
      return;
    case 'record':
      for (const field of type.fields) {
        write(writer, field.type, (value as Record<string, unknown>)[field.name]);
      }
      return;
    case 'variant': {
      const name = Object.keys(value as object)[0]!;
      const index = type.fields.findIndex((field) => field.name === name);
      writer.leb(index);
      write(writer, type.fields[index]!.type, (value as Record<string, unknown>)[name]);
      return;
    }
  }
}
