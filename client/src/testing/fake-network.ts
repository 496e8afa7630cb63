import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  ByteReader,
  WorkerState,
  coordinatorIdl,
  decodeBundle,
  decodeWorkerConfig,
  encodeBundle,
  encodeWorkerStatus,
  type Plan,
} from '@canopy/protocol';
import { CallRejected } from '../errors.js';
import { sleep } from '../retry.js';
import { fromHex, sha256, toHex } from '../sha256.js';
import type { CreateOptions, InstallOptions, Transport } from '../transport/transport.js';
import type { DeployableModel } from '../deploy/upload.js';

interface FakeWorker {
  state: number;
  /** Argument of `configure`. */
  configuration: Uint8Array;
  stageIndex: number;
  stageCount: number;
  chunkCount: number;
  shardHash: Uint8Array;
  chunks: Map<number, Uint8Array>;
  /** Queries of `status` still to be answered with "loading". */
  loadingFor: number;
}

const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };

/** A network of one coordinator that doubles `x`, and workers that keep chunks. In memory. */
export class FakeNetwork implements Transport {
  readonly workers = new Map<string, FakeWorker>();
  readonly installed = new Map<string, string>();
  readonly calls: string[] = [];
  readonly models: { name: string; plan: string; workers: Principal[] }[] = [];
  /** Thrown by the calls it says yes to. */
  failure: (method: string, canister: string) => Error | undefined = () => undefined;
  /** Answer of `infer` in place of the usual one. */
  inferReply: ((inputs: Uint8Array) => unknown) | undefined;
  fetchReply: ((offset: number) => unknown) | undefined;
  private created = 0;

  principal(): Promise<string> {
    return Promise.resolve(Principal.anonymous().toText());
  }

  wait(milliseconds: number): Promise<void> {
    return sleep(milliseconds);
  }

  createCanister({ cycles }: CreateOptions): Promise<string> {
    this.calls.push(`create ${cycles.toString()}`);
    const id = Principal.fromUint8Array(
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, this.created++, 1, 1),
    ).toText();
    this.workers.set(id, {
      state: WorkerState.empty,
      configuration: new Uint8Array(),
      stageIndex: 0,
      stageCount: 0,
      chunkCount: 0,
      shardHash: new Uint8Array(32),
      chunks: new Map(),
      loadingFor: 2,
    });
    return Promise.resolve(id);
  }

  installCode({ canister, module, mode }: InstallOptions): Promise<void> {
    if (mode === 'install' && this.installed.has(canister)) {
      return Promise.reject(new CallRejected(5, 'the canister is not empty'));
    }
    this.installed.set(canister, new TextDecoder().decode(module));
    return Promise.resolve();
  }

  query(canister: string, method: string, arg: Uint8Array): Promise<Uint8Array> {
    return this.update(canister, method, arg);
  }

  async update(canister: string, method: string, arg: Uint8Array): Promise<Uint8Array> {
    await Promise.resolve();
    this.calls.push(method);
    const failure = this.failure(method, canister);
    if (failure) throw failure;
    return this.installed.get(canister) === 'coordinator'
      ? this.coordinator(method, arg)
      : this.worker(this.workers.get(canister)!, method, arg);
  }

  private async worker(worker: FakeWorker, method: string, arg: Uint8Array): Promise<Uint8Array> {
    const input = new ByteReader(arg, method);
    switch (method) {
      case 'configure': {
        worker.configuration = arg;
        const config = decodeWorkerConfig(arg);
        worker.stageIndex = config.stageIndex;
        worker.stageCount = config.stageCount;
        worker.chunkCount = Math.ceil(config.shardBytes / config.chunkBytes);
        worker.shardHash = config.shardHash.slice();
        worker.state = WorkerState.configured;
        return new Uint8Array();
      }
      case 'chunks': {
        const bitmap = new Uint8Array(Math.ceil(worker.chunkCount / 8));
        for (const index of worker.chunks.keys()) bitmap[index >> 3]! |= 1 << (index & 7);
        return bitmap;
      }
      case 'put_chunk': {
        const index = input.u32();
        const hash = toHex(input.bytes(32));
        const bytes = input.bytes(input.remaining).slice();
        if (toHex(await sha256(bytes)) !== hash) {
          throw new CallRejected(4, `[bad-chunk] chunk ${index} has another hash`);
        }
        worker.chunks.set(index, bytes);
        return new Uint8Array();
      }
      case 'load': {
        if (worker.chunks.size < worker.chunkCount)
          throw new CallRejected(4, '[not-ready] missing');
        worker.state = WorkerState.loading;
        return new Uint8Array();
      }
      case 'status': {
        if (worker.state === WorkerState.loading && worker.loadingFor-- === 0) {
          worker.state = WorkerState.ready;
        }
        return encodeWorkerStatus({ ...worker, chunksHeld: worker.chunks.size });
      }
      default:
        throw new CallRejected(5, `no method ${method}`);
    }
  }

  private coordinator(method: string, arg: Uint8Array): Uint8Array {
    const types = service._fields.find(([name]) => name === method)![1];
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- decoded Candid
    const args = IDL.decode(types.argTypes, arg) as any[];
    return IDL.encode(types.retTypes, [this.answer(method, args)]);
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- decoded Candid
  private answer(method: string, args: any[]): unknown {
    switch (method) {
      case 'register_model':
        this.models.push(args[0] as (typeof this.models)[number]);
        return { ok: null };
      case 'models':
        return this.models;
      case 'infer': {
        const inputs = args[1] as Uint8Array;
        return this.inferReply?.(inputs) ?? doubled(inputs);
      }
      case 'fetch':
      case 'fetch_update':
        return this.fetchReply!(args[1] as number);
      case 'release':
        return { ok: null };
      default:
        throw new Error(`no method ${method}`);
    }
  }
}

/** Result bundle of the sample model: twice `x`. */
export function doubledBundle(inputs: Uint8Array): Uint8Array {
  const [x] = decodeBundle(inputs);
  const values = new Float32Array(new Uint8Array(x!.data).buffer).map((value) => value * 2);
  return encodeBundle([{ ...x!, name: 'y', data: new Uint8Array(values.buffer) }]);
}

function doubled(inputs: Uint8Array): unknown {
  const stage = {
    worker: Principal.anonymous(),
    instructions: 10n,
    messages: 1,
    bytes_received: 5n,
    bytes_sent: 6n,
    scratch_bytes: 7,
  };
  return { ok: { outputs: doubledBundle(inputs), micro_batches: 1, stages: [stage, stage] } };
}

/** A model of two stages with shards of 2,500 and 900 bytes, in chunks of 1,000. */
export async function sampleModel(): Promise<DeployableModel & { shards: Uint8Array[] }> {
  const shards = [2500, 900].map((length, stage) =>
    Uint8Array.from({ length }, (_, index) => (index * 7 + stage) & 0xff),
  );
  const chunkBytes = 1000;
  const chunk = (stage: number, index: number): Uint8Array =>
    shards[stage]!.subarray(index * chunkBytes, (index + 1) * chunkBytes);
  const stages = await Promise.all(
    shards.map(async (shard, index) => {
      const count = Math.ceil(shard.length / chunkBytes);
      const hashes = await Promise.all(
        Array.from({ length: count }, async (_, at) => toHex(await sha256(chunk(index, at)))),
      );
      return {
        index,
        nodes: 1,
        multiplyAdds: 1,
        weightsBytes: shard.length,
        shardBytes: shard.length,
        shardHash: toHex(await sha256(fromHex(hashes.join('')))),
        inputs: [index === 0 ? 'x' : 'h'],
        outputs: [index === 0 ? 'h' : 'y'],
        predictions: [],
      };
    }),
  );
  const plan: Plan = {
    format: 'canopy-plan',
    version: 1,
    model: { name: 'sample', sha256: 'a'.repeat(64) },
    costSchedule: '2026-07',
    inputs: [{ name: 'x', dtype: 'float32', dims: ['batch', 2] }],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', 2] }],
    rowsIndependent: true,
    microBatchRows: 3,
    resultsStay: false,
    typicalDims: { batch: 1 },
    chunkBytes,
    instructionBudget: 1e9,
    pipelines: 1,
    stages,
  };
  return { plan, shards, readShardChunk: (stage, index) => Promise.resolve(chunk(stage, index)) };
}
