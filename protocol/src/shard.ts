import { ByteReader, ByteWriter } from './bytes.js';
import { DType, dtypeName, type DTypeName } from './dtype.js';
import { ProtocolError } from './error.js';
import { encodeLabel, encodeName } from './names.js';
import { maxRank } from './tensor-bundle.js';

/** `CSHD`, the first four bytes of a shard. */
export const shardMagic = 0x44485343;
export const shardVersion = 2;
/** Bytes before the program. */
export const shardHeaderBytes = 64;
/** Weights begin on a wasm page, so that pages of weights hold nothing else. */
export const weightsAlignment = 65536;
/** Each weight begins on a multiple of this many bytes. */
export const weightAlignment = 64;
/** Most tensors that a stage takes. */
export const maxStageInputs = 1024;
/** Marks an optional input that is not there. */
export const absentValue = 0xffffffff;

/** A value of a program: an activation (`weight` undefined) or a constant. */
export interface ShardValue {
  /** Name in the model, for texts. */
  name: string;
  dtype: DTypeName;
  /** Where a constant lies in the weights, and its shape as the operator reads it. */
  weight?: { offset: number; byteLength: number; dims: readonly number[] };
}

export interface ShardNode {
  /** A code of `OpCode`. */
  op: number;
  /** Name in the model, for texts. */
  name: string;
  /** Value indexes; {@link absentValue} for an optional input left out. */
  inputs: readonly number[];
  outputs: readonly number[];
  /** 32-bit words; f32 attributes by their bits. */
  attributes: readonly number[];
  /** Values no later node reads and that are no output: their memory is free after this node. */
  frees: readonly number[];
}

/** The program of one stage: what a worker runs, in order. */
export interface ShardProgram {
  values: readonly ShardValue[];
  nodes: readonly ShardNode[];
  /** Value indexes of the stage's inputs and outputs, in the order they have in bundles. */
  inputs: readonly number[];
  outputs: readonly number[];
}

/** A 32-bit word of either sign by its bits; other numbers as they are. */
function unsigned(word: number): number {
  return word < 0 && word === (word | 0) ? word >>> 0 : word;
}

/**
 * Encodes everything of a shard but the weights themselves: header, program, zeros up to
 * `weightsOffset`. The weights follow, `weightsLength` bytes.
 *
 * Header: magic u32, version u32, program offset u32, program length u32, weights offset u32,
 * weights length u32, zeros to 64 bytes.
 * Program: counts of values, nodes, inputs, outputs u32; inputs u32 each; outputs u32 each; values:
 * kind u8 (0 activation, 1 constant), dtype u8, rank u8, 0 u8, name offset u32, and for constants
 * weight offset u32, byte length u32, dims u32 each; nodes: op u16, counts of inputs, outputs,
 * attribute words and frees u16 each, 0 u16, name offset u32, then inputs, outputs, attributes, frees
 * u32 each; last the names: length u16 and UTF-8 each, found by their offset from the first name.
 * Names of the stage's inputs and outputs are whole; others are for texts and may be cut.
 *
 * Throws {@link ProtocolError} where something is too large for its field.
 */
export function encodeShardHead(program: ShardProgram, weightsLength: number): Uint8Array {
  const names = new ByteWriter();
  const nameOffsets = new Map<string, number>();
  const nameOffset = (name: string, encode: (name: string) => Uint8Array): number => {
    let offset = nameOffsets.get(name);
    if (offset === undefined) {
      offset = names.length;
      const bytes = encode(name);
      names.u16(bytes.length).bytes(bytes);
      nameOffsets.set(name, offset);
    }
    return offset;
  };
  const passed = new Set([...program.inputs, ...program.outputs]);
  if (program.inputs.length > maxStageInputs) {
    throw new ProtocolError(
      'bad-value',
      `a stage takes at most ${maxStageInputs} tensors, given ${program.inputs.length}`,
    );
  }
  const body = new ByteWriter();
  body.u32(program.values.length).u32(program.nodes.length);
  body.u32(program.inputs.length).u32(program.outputs.length);
  for (const value of [...program.inputs, ...program.outputs]) body.u32(value);
  for (const [index, value] of program.values.entries()) {
    const dims = value.weight?.dims ?? [];
    if (dims.length > maxRank) {
      throw new ProtocolError(
        'bad-value',
        `constant "${value.name}" has ${dims.length} dimensions`,
      );
    }
    body
      .u8(value.weight ? 1 : 0)
      .u8(DType[value.dtype])
      .u8(dims.length)
      .u8(0);
    body.u32(nameOffset(value.name, passed.has(index) ? encodeName : encodeLabel));
    if (value.weight) {
      const { offset, byteLength } = value.weight;
      body.u32(offset, `offset of weight "${value.name}" in its shard`);
      body.u32(byteLength, `bytes of weight "${value.name}"`);
      for (const dim of dims) body.u32(dim, `a dimension of weight "${value.name}"`);
    }
  }
  for (const node of program.nodes) {
    const of = `of node "${node.name}"`;
    body.u16(node.op).u16(node.inputs.length, `inputs ${of}`);
    body.u16(node.outputs.length, `outputs ${of}`);
    body.u16(node.attributes.length, `attribute words ${of}`);
    body.u16(node.frees.length, `values freed after it ${of}`);
    body.u16(0).u32(nameOffset(node.name, encodeLabel));
    for (const list of [node.inputs, node.outputs]) for (const value of list) body.u32(value);
    for (const word of node.attributes) body.u32(unsigned(word), `an attribute word ${of}`);
    for (const value of node.frees) body.u32(value);
  }
  body.bytes(names.finish());

  const programBytes = body.finish();
  const weightsOffset =
    Math.ceil((shardHeaderBytes + programBytes.length) / weightsAlignment) * weightsAlignment;
  const out = new ByteWriter();
  out.u32(shardMagic).u32(shardVersion).u32(shardHeaderBytes).u32(programBytes.length);
  out.u32(weightsOffset).u32(weightsLength).align(shardHeaderBytes);
  out.bytes(programBytes).align(weightsAlignment);
  return out.finish();
}

export interface DecodedShard {
  program: ShardProgram;
  weightsOffset: number;
  weightsLength: number;
}

/** Reads what {@link encodeShardHead} wrote. Throws {@link ProtocolError}. */
export function decodeShardHead(bytes: Uint8Array): DecodedShard {
  const header = new ByteReader(bytes, 'shard');
  if (header.u32() !== shardMagic) {
    throw new ProtocolError('bad-magic', 'shard: does not begin with "CSHD"');
  }
  const version = header.u32();
  if (version !== shardVersion) {
    throw new ProtocolError(
      'bad-version',
      `shard: version ${version}; this release reads ${shardVersion}`,
    );
  }
  header.offset = 8;
  const programOffset = header.u32();
  const programLength = header.u32();
  const weightsOffset = header.u32();
  const weightsLength = header.u32();
  header.offset = programOffset;
  const input = new ByteReader(header.bytes(programLength), 'shard program');
  const valueCount = input.u32();
  const nodeCount = input.u32();
  const inputCount = input.u32();
  const outputCount = input.u32();
  const list = (count: number): number[] => Array.from({ length: count }, () => input.u32());
  const inputs = list(inputCount);
  const outputs = list(outputCount);
  const values = Array.from({ length: valueCount }, () => {
    const kind = input.u8();
    const dtype = dtypeName(input.u8());
    const rank = input.u8();
    input.u8();
    const name = input.u32();
    if (dtype === undefined) throw new ProtocolError('bad-value', 'shard program: unknown type');
    if (kind === 0) return { name, dtype };
    const offset = input.u32();
    const byteLength = input.u32();
    return { name, dtype, weight: { offset, byteLength, dims: list(rank) } };
  });
  const nodes = Array.from({ length: nodeCount }, () => {
    const op = input.u16();
    const inputTotal = input.u16();
    const outputTotal = input.u16();
    const words = input.u16();
    const freeTotal = input.u16();
    input.u16();
    const name = input.u32();
    return {
      op,
      name,
      inputs: list(inputTotal),
      outputs: list(outputTotal),
      attributes: list(words),
      frees: list(freeTotal),
    };
  });
  const namesStart = input.offset;
  const nameAt = (offset: number): string => {
    input.offset = namesStart + offset;
    return input.utf8(input.u16());
  };
  const named = <T extends { name: number }>(item: T): Omit<T, 'name'> & { name: string } => ({
    ...item,
    name: nameAt(item.name),
  });
  return {
    program: { inputs, outputs, values: values.map(named), nodes: nodes.map(named) },
    weightsOffset,
    weightsLength,
  };
}
