import { opcode, type AnyType } from './types.js';

/** Columns that a type may take before it is broken into lines. */
const WIDTH = 80;

/** A type in the notation of Candid, broken into lines as the Candid library breaks it. */
export function printType(type: AnyType, indent = 0, before = 0): string {
  const flat = printFlat(type);
  if (indent + before + flat.length <= WIDTH) return flat;
  switch (type.kind) {
    case 'opt':
    case 'vec':
      return `${type.kind} ${printType(type.inner, indent, before + 4)}`;
    case 'record':
    case 'variant': {
      const inner = ' '.repeat(indent + 2);
      const lines = printable(type).map(({ name, type: field }) => {
        if (isBare(type, field)) return `${inner}${name};\n`;
        return `${inner}${name} : ${printType(field, indent + 2, name.length + 3)};\n`;
      });
      return `${type.kind} {\n${lines.join('')}${' '.repeat(indent)}}`;
    }
    default:
      return flat;
  }
}

type Compound = Extract<AnyType, { kind: 'record' | 'variant' }>;

function printFlat(type: AnyType): string {
  switch (type.kind) {
    case 'opt':
    case 'vec':
      return `${type.kind} ${printFlat(type.inner)}`;
    case 'record':
    case 'variant': {
      const fields = printable(type).map(({ name, type: field }) =>
        isBare(type, field) ? name : `${name} : ${printFlat(field)}`,
      );
      return fields.length === 0 ? `${type.kind} {}` : `${type.kind} { ${fields.join('; ')} }`;
    }
    default:
      return type.kind;
  }
}

function printable(type: Compound) {
  return type.fields.filter(({ name }) => type.unprinted?.includes(name) !== true);
}

/** A variant's case without a value is written by its name alone. */
function isBare(type: Compound, field: AnyType): boolean {
  return type.kind === 'variant' && field.kind === 'null';
}

/** A type of the wire as errors name it: an entry of the payload's table, or a primitive type. */
export function wireTypeName(type: number): string {
  if (type >= 0) return `table${type}`;
  return Object.entries(opcode).find(([, code]) => code === type)?.[0] ?? String(type);
}
