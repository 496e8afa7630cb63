import { createHash } from 'node:crypto';
import {
  absentValue,
  encodeAttributes,
  encodeShardHead,
  OpCode,
  shortName,
  type OpName,
  type ShardNode,
  type ShardProgram,
  type ShardValue,
} from '@canopy/protocol';
import type { Program, ProgramNode, Weight } from '../graph/program.js';
import { storedBytes, weightBytes, weightDims } from '../graph/program.js';
import { withBranches, type EmittedNode } from './branches.js';
import { Packer } from './pack.js';

/** The nodes of one stage and what goes in and out of it. */
export interface StageSlice {
  nodes: readonly ProgramNode[];
  inputs: readonly string[];
  outputs: readonly string[];
}

/** A shard whose weights are packed when they are asked for. */
export interface Shard {
  program: ShardProgram;
  /** What comes before the weights. */
  head: Uint8Array;
  weightsBytes: number;
  byteLength: number;
  /** Fills `target` with the shard's bytes from `start` on. In order, each weight is read once. */
  readInto(target: Uint8Array, start: number): void;
  /** Bytes `[start, end)` of the shard file. */
  read(start: number, end: number): Uint8Array;
  /** Frees what is kept for the next bytes in order. */
  release(): void;
}

/** Where the weights of a stage lie, relative to the first; each with zeros up to the next. */
function layOutWeights(weights: readonly Weight[]): { offsets: number[]; bytes: number } {
  let bytes = 0;
  const offsets = weights.map((weight) => {
    const offset = bytes;
    bytes += storedBytes(weight);
    return offset;
  });
  return { offsets, bytes };
}

/** For each node, the values that no later node reads and that the stage does not give out. */
function freesOf(
  nodes: readonly EmittedNode[],
  outputs: readonly string[],
  isWeight: (name: string) => boolean,
): string[][] {
  const kept = new Set(outputs);
  const frees: string[][] = nodes.map(() => []);
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    for (const value of [...node.outputs, ...node.inputs]) {
      if (value === '' || kept.has(value) || isWeight(value)) continue;
      kept.add(value);
      frees[index]!.push(value);
    }
  }
  return frees;
}

/** Makes the shard of one stage. Weights lie in the order in which the nodes read them. */
export function makeShard(program: Program, slice: StageSlice): Shard {
  const indexes = new Map<string, number>();
  const names: string[] = [];
  const indexOf = (name: string): number => {
    if (name === '') return absentValue;
    let index = indexes.get(name);
    if (index === undefined) {
      index = names.length;
      indexes.set(name, index);
      names.push(name);
    }
    return index;
  };
  const value = (name: string) => program.values.get(name)!;
  const emitted = withBranches(slice.nodes, slice.outputs);
  const frees = freesOf(emitted, slice.outputs, (name) => value(name).weight !== undefined);
  const inputs = slice.inputs.map(indexOf);
  const nodes: ShardNode[] = emitted.map((node, index) => ({
    op: OpCode[node.op],
    name: node.name,
    inputs: node.inputs.map(indexOf),
    outputs: node.outputs.map(indexOf),
    attributes: encodeAttributes<OpName>(node.op, node.attributes),
    frees: frees[index]!.map(indexOf),
  }));
  const outputs = slice.outputs.map(indexOf);

  const weights: Weight[] = [];
  for (const name of names) {
    const { weight } = value(name);
    if (weight) weights.push(weight);
  }
  const { offsets, bytes } = layOutWeights(weights);
  let next = 0;
  // Callers know inputs and outputs of the model by their names, nobody knows the others.
  const known = new Set([...program.inputs, ...program.outputs]);
  const values: ShardValue[] = names.map((full) => {
    const { dtype, weight } = value(full);
    const name = known.has(full) ? full : shortName(full);
    if (!weight) return { name, dtype };
    const offset = offsets[next++]!;
    return {
      name,
      dtype,
      weight: { offset, byteLength: weightBytes(weight), dims: weightDims(weight) },
    };
  });
  const shardProgram = { values, nodes, inputs, outputs };
  const head = encodeShardHead(shardProgram, bytes).slice();
  const packer = new Packer();

  const readInto = (target: Uint8Array, start: number): void => {
    const end = start + target.length;
    target.fill(0);
    if (start < head.length) target.set(head.subarray(start, Math.min(end, head.length)));
    weights.forEach((weight, index) => {
      const position = head.length + offsets[index]!;
      const from = Math.max(start, position);
      const to = Math.min(end, position + weightBytes(weight));
      if (from >= to) return;
      packer.fill(target.subarray(from - start, to - start), weight, from - position);
    });
  };
  return {
    program: shardProgram,
    head,
    weightsBytes: bytes,
    byteLength: head.length + bytes,
    readInto,
    read: (start, end) => {
      const bytes = new Uint8Array(end - start);
      readInto(bytes, start);
      return bytes;
    },
    release: () => {
      packer.release();
    },
  };
}

function chunkBytesOf(shard: Shard, index: number, chunkBytes: number): number {
  return Math.min(chunkBytes, shard.byteLength - index * chunkBytes);
}

/** Bytes of one chunk of a shard. */
export function shardChunk(shard: Shard, index: number, chunkBytes: number): Uint8Array {
  const start = index * chunkBytes;
  return shard.read(start, start + chunkBytesOf(shard, index, chunkBytes));
}

export function chunkCount(shard: Shard, chunkBytes: number): number {
  return Math.ceil(shard.byteLength / chunkBytes);
}

/** SHA-256 of each chunk of a shard, which is packed for it. */
export function chunkHashes(shard: Shard, chunkBytes: number): Uint8Array[] {
  const buffer = new Uint8Array(Math.min(chunkBytes, shard.byteLength));
  const hashes = Array.from({ length: chunkCount(shard, chunkBytes) }, (_, index) => {
    const chunk = buffer.subarray(0, chunkBytesOf(shard, index, chunkBytes));
    shard.readInto(chunk, index * chunkBytes);
    return createHash('sha256').update(chunk).digest();
  });
  shard.release();
  return hashes;
}

/** Hex SHA-256 over the SHA-256 hashes of all chunks in order. */
export function shardHash(hashes: readonly Uint8Array[]): string {
  const all = createHash('sha256');
  for (const hash of hashes) all.update(hash);
  return all.digest('hex');
}
