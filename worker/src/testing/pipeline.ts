import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import {
  Activation,
  OpCode,
  encodeBundle,
  encodeChunk,
  encodeEnqueue,
  encodeFetch,
  encodeRelease,
  encodeShardHead,
  encodeWorkerConfig,
  decodeBundle,
  decodeEndedRuns,
  ByteReader,
  RunEnd,
  type EndedRun,
  decodeFetchReply,
  decodeResult,
  decodeWorkerStatus,
  packMatrix,
  WorkerState,
  type BundleTensor,
  type FetchReply,
  type Result,
  type ShardProgram,
  type WorkerConfig,
  type WorkerStatus,
} from '@canopy/protocol';
import type { TestCanister } from './canister.js';
import type { Answer } from './messages.js';
import { workerModule } from './module.js';
import { TestIc, type Call } from './test-ic.js';

/** Columns of the tensors of the small model. */
export const width = 4;
export const coordinator = 'c0';
export const controller = '00';
/** Of the configuration of all pipelines of tests. */
export const epoch = 7n;
/** The principal of a caller with a number. */
export const callerOf = (key: bigint): Uint8Array =>
  new Uint8Array(new BigUint64Array([key]).buffer);
const chunkBytes = 40_000;

export const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const sha256 = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(createHash('sha256').update(bytes).digest());

export interface Shard {
  bytes: Uint8Array;
  chunks: Uint8Array[];
  hashes: Uint8Array[];
  hash: Uint8Array;
}

export function cut(bytes: Uint8Array, size = chunkBytes): Shard {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  const hashes = chunks.map(sha256);
  return { bytes, chunks, hashes, hash: sha256(Buffer.concat(hashes)) };
}

/**
 * A shard whose layers each double their input and add one. With `passThrough` the input is also the
 * stage's second output.
 */
export function doublingShard(layers: number, passThrough = false): Shard {
  return linearShard(width, layers, chunkBytes, passThrough);
}

/** Columns of the tensors of the model that takes many instructions: about 1.9 M a row and layer. */
const heavyWidth = 1024;

/** As {@link doublingShard}, wide enough to take many instructions. */
export function heavyShard(layers: number): Shard {
  return linearShard(heavyWidth, layers, 1_000_000, false);
}

/** Input of the heavy model, zeros. */
export function heavyBundle(rowCount: number): Uint8Array {
  const data = new Uint8Array(rowCount * heavyWidth * 4);
  return encodeBundle([{ name: '', dtype: 'float32', dims: [rowCount, heavyWidth], data }]);
}

function linearShard(
  width: number,
  layers: number,
  chunkBytes: number,
  passThrough: boolean,
): Shard {
  const weights = packMatrix(width, width, (k, n) => (k === n ? 2 : 0));
  const bias = new Float32Array(width).fill(1);
  const epilogue = new Int32Array(new Float32Array([0, 0, 1, 0]).buffer);
  const program: ShardProgram = {
    values: [
      { name: 'x', dtype: 'float32' },
      {
        name: 'double',
        dtype: 'float32',
        weight: { offset: 0, byteLength: weights.byteLength, dims: [weights.length] },
      },
      {
        name: 'one',
        dtype: 'float32',
        weight: { offset: weights.byteLength, byteLength: bias.byteLength, dims: [width] },
      },
      ...Array.from({ length: layers }, (_, layer) => ({
        name: `y${layer}`,
        dtype: 'float32' as const,
      })),
    ],
    nodes: Array.from({ length: layers }, (_, layer) => ({
      op: OpCode.Linear,
      name: `layer${layer}`,
      inputs: [layer === 0 ? 0 : layer + 2, 1, 2],
      outputs: [layer + 3],
      attributes: [width, width, Activation.none, ...epilogue],
      frees: layer === 0 ? (passThrough ? [] : [0]) : [layer + 2],
    })),
    inputs: [0],
    outputs: passThrough ? [layers + 2, 0] : [layers + 2],
  };
  const constants = new Uint8Array(Math.max(128, weights.byteLength + bias.byteLength));
  constants.set(new Uint8Array(weights.buffer));
  constants.set(new Uint8Array(bias.buffer), weights.byteLength);
  const head = encodeShardHead(program, constants.length);
  return cut(Buffer.concat([head, constants]), chunkBytes);
}

/** What a reply of `release` says. */
export function endedRunsIn(reply: Uint8Array): EndedRun[] {
  return decodeEndedRuns(new ByteReader(reply, 'reply of release'));
}

/** A tensor whose rows hold one value each. */
export function rows(values: readonly number[]): BundleTensor {
  const data = new Float32Array(values.flatMap((value) => new Array<number>(width).fill(value)));
  return {
    name: '',
    dtype: 'float32',
    dims: [values.length, width],
    data: new Uint8Array(data.buffer),
  };
}

export const bundle = (...values: number[]): Uint8Array => bundleOf(values);
export const bundleOf = (values: readonly number[]): Uint8Array => encodeBundle([rows(values)]);

/** First column of the first tensor of a bundle. */
export function firstColumn(bytes: Uint8Array): number[] {
  const tensor = decodeBundle(bytes)[0]!;
  const floats = new Float32Array(new Uint8Array(tensor.data).buffer);
  return Array.from({ length: tensor.dims[0]! }, (_, row) => floats[row * width]!);
}

/** What `layers` layers make of a value. */
export function doubled(value: number, layers: number): number {
  let result = value;
  for (let layer = 0; layer < layers; layer++) result = result * 2 + 1;
  return result;
}

export const ticketOf = (answer: Answer | undefined): bigint => {
  if (answer === undefined || !('reply' in answer)) throw new Error(JSON.stringify(answer));
  return new DataView(answer.reply.buffer, answer.reply.byteOffset).getBigUint64(0, true);
};
export const resultOf = (answer: Answer | undefined): Result => {
  if (answer === undefined || !('reply' in answer)) throw new Error(JSON.stringify(answer));
  return decodeResult(answer.reply);
};
export const rejectionOf = (answer: Answer | undefined): string => {
  if (answer === undefined || !('reject' in answer)) throw new Error('was not rejected');
  return answer.reject.text;
};

/** Pipelines that {@link Pipeline.deployed} forks. */
const prepared = new Map<string, Pipeline>();

/** Workers of a small pipeline, each with its shard. */
export class Pipeline {
  readonly workers: TestCanister[];
  readonly shards: Shard[];
  readonly layers: number;

  /** @param of the pipeline of which this is one that works on `ic`, a fork */
  constructor(
    readonly ic: TestIc,
    private readonly layersOfStage: number[],
    private readonly options: Partial<WorkerConfig> = {},
    of?: Pipeline,
  ) {
    this.workers = of
      ? of.workers.map(({ id }) => ic.canisters.get(id)!)
      : layersOfStage.map(() => ic.create());
    this.shards = of ? [...of.shards] : layersOfStage.map((layers) => doublingShard(layers));
    this.layers = layersOfStage.reduce((sum, layers) => sum + layers, 0);
  }

  /** A pipeline just deployed on an IC of its own; deployed once a process, then forked. */
  static deployed(layersOfStage: number[], options: Partial<WorkerConfig> = {}): Pipeline {
    const key = inspect([layersOfStage, options]);
    const made = prepared.get(key);
    const first = made ?? new Pipeline(new TestIc(workerModule), layersOfStage, options).deploy();
    prepared.set(key, first);
    return first.fork();
  }

  /** The pipeline in the state of now, on a fork of its IC. Calls: see {@link TestIc.callOf}. */
  fork(): Pipeline {
    return new Pipeline(this.ic.fork(), this.layersOfStage, this.options, this);
  }

  get head(): TestCanister {
    return this.workers[0]!;
  }

  config(stage: number): WorkerConfig {
    const shard = this.shards[stage]!;
    return {
      epoch,
      stageIndex: stage,
      stageCount: this.workers.length,
      shardBytes: shard.bytes.length,
      chunkBytes,
      shardHash: shard.hash,
      instructionBudget: 100_000_000n,
      queueLimit: 100,
      queueLimitPerCaller: 50,
      openCalls: 16,
      paced: true,
      resultsStay: false,
      pipelines: 1,
      rowsPerTask: 0,
      deadlineSeconds: 100_000,
      coordinator: bytesOf(coordinator),
      workers: this.workers.map(({ id }) => bytesOf(id)),
      ...this.options,
    };
  }

  expectReply(answer: Answer): Uint8Array {
    if ('reject' in answer) throw new Error(answer.reject.text);
    return answer.reply;
  }

  configure(stage: number): void {
    const arg = encodeWorkerConfig(this.config(stage));
    this.expectReply(this.ic.update(controller, this.workers[stage]!, 'configure', arg));
  }

  putChunk(stage: number, index: number): Answer {
    const shard = this.shards[stage]!;
    const arg = encodeChunk({ index, hash: shard.hashes[index]!, bytes: shard.chunks[index]! });
    return this.ic.update(controller, this.workers[stage]!, 'put_chunk', arg);
  }

  load(stage: number): void {
    this.expectReply(this.ic.update(controller, this.workers[stage]!, 'load'));
    this.ic.runUntil(() => this.status(stage).state === WorkerState.ready);
  }

  /** Configures, uploads and loads every stage. */
  deploy(): this {
    this.workers.forEach((_, stage) => {
      this.configure(stage);
      this.shards[stage]!.chunks.forEach((_, index) => {
        this.expectReply(this.putChunk(stage, index));
      });
      this.load(stage);
    });
    this.ic.runToIdle();
    return this;
  }

  status(stage: number): WorkerStatus {
    return decodeWorkerStatus(
      this.expectReply(this.workers[stage]!.query('status', controller, new Uint8Array(0))),
    );
  }

  /** @param coordinatorLoad million instructions that the coordinator says it takes in a round */
  enqueue(mode: number, callerKey: bigint, tasks: Uint8Array[], coordinatorLoad = 0): Call {
    const arg = encodeEnqueue({ epoch, mode, coordinatorLoad, owner: callerOf(callerKey), tasks });
    return this.ic.call(coordinator, this.head, 'enqueue', arg);
  }

  get last(): TestCanister {
    return this.workers[this.workers.length - 1]!;
  }
  /** The stage that keeps results. */
  get keeper(): TestCanister {
    return this.options.resultsStay ? this.last : this.head;
  }

  /** Part of what one stage has of a result. */
  fetchPart(from: TestCanister, id: bigint, offset = 0, length = 1_900_000): FetchReply {
    const arg = encodeFetch(epoch, id, offset, length);
    return decodeFetchReply(this.expectReply(from.query('fetch', coordinator, arg)));
  }

  /**
   * Fetches a finished result in parts of `part` bytes; undefined while it is pending. As the
   * coordinator does: from where results are kept, and from the head what is not there.
   */
  fetch(id: bigint, part = 1_900_000): Result | undefined {
    const atKeeper = this.fetchPart(this.keeper, id, 0, part).finished;
    const from = atKeeper ? this.keeper : this.head;
    const parts: Uint8Array[] = [];
    for (let offset = 0; ;) {
      const reply = this.fetchPart(from, id, offset, part);
      if (!reply.finished) return undefined;
      parts.push(reply.part);
      offset += reply.part.length;
      if (offset >= reply.byteLength) return decodeResult(Buffer.concat(parts));
    }
  }

  /** Gives a result back where it is kept; what is not there, to the head. */
  release(id: bigint): Answer {
    const answer = this.releaseAt(this.keeper, id);
    if ('reply' in answer || this.keeper === this.head) return answer;
    return this.releaseAt(this.head, id);
  }
  /** The answer; `unknown-request` as a rejection where it names the request as unknown. */
  releaseAt(stage: TestCanister, id: bigint): Answer {
    const answer = this.ic.update(coordinator, stage, 'release', encodeRelease(epoch, [id]));
    if ('reject' in answer || endedRunsIn(answer.reply)[0]!.end !== RunEnd.unknown) return answer;
    return { reject: { code: 4, text: `[unknown-request] ${id}` } };
  }

  /** What came of a request by the answer of its call; where that does not give it, by fetching. */
  resultOf(answer: Answer | undefined): Result | undefined {
    const result = resultOf(answer);
    if (result.status === 'done' || result.status === 'failed') return result;
    this.ic.runUntil(() => this.fetch(result.requestId) !== undefined);
    return this.fetch(result.requestId);
  }

  /** Values a result gives, task by task. */
  values(result: Result | undefined): number[][] {
    if (result?.status !== 'done') throw new Error(`the result is ${result?.status}`);
    return result.tasks.map((task) => firstColumn(task.bundle));
  }
}
