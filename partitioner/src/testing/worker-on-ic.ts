import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { Ic, type ExecutedSlice } from '@canopy/local-ic';
import {
  ByteReader,
  decodeBundle,
  decodeFetchReply,
  decodeResult,
  decodeWorkerStatus,
  encodeBundle,
  encodeChunk,
  encodeEnqueue,
  encodeFetch,
  encodeRelease,
  encodeWorkerConfig,
  EnqueueMode,
  maxMessageBytes,
  WorkerState,
  type BundleTensor,
  type Result,
  type StageTrace,
  type WorkerStatus,
} from '@canopy/protocol';
import type { CostScheduleName } from '../cost/model.js';

const settings = IDL.Record({ controllers: IDL.Opt(IDL.Vec(IDL.Principal)) });
const createArgs = IDL.Record({ amount: IDL.Opt(IDL.Nat), settings: IDL.Opt(settings) });
const installArgs = IDL.Record({
  mode: IDL.Variant({ install: IDL.Null }),
  canister_id: IDL.Principal,
  wasm_module: IDL.Vec(IDL.Nat8),
  arg: IDL.Vec(IDL.Nat8),
});

/** The compiled worker: `worker/build`, made by the worker's build script. */
const workerModule = new URL('../../../worker/build/worker.wasm.gz', import.meta.url);
const chunkBytes = 1024 * 1024;
const owner = Uint8Array.of(1, 2, 3, 4);
const mostRounds = 5000;
const epoch = 1n;

/** Measurements only: worker canisters on an embedded IC, called without client or coordinator. */
export class WorkersOnIc {
  private readonly ic: Ic;
  private readonly module = readFileSync(workerModule);
  /** Every slice executed, while someone listens. */
  set observer(observer: ((slice: ExecutedSlice) => void) | undefined) {
    this.ic.observer = observer;
  }

  constructor(schedule: CostScheduleName) {
    this.ic = new Ic({ subnets: [{ kind: 'application' }], costs: schedule });
  }

  private update(canisterId: Uint8Array, method: string, arg: Uint8Array): Uint8Array {
    const { messageId } = this.ic.submitIngress({ sender: owner, canisterId, method, arg });
    for (let round = 0; round < mostRounds; round++) {
      this.ic.tick();
      const status = this.ic.ingressStatus(messageId);
      if (status.status === 'replied') return status.reply;
      if (status.status === 'rejected') throw new Error(`${method}: ${status.error.message}`);
    }
    throw new Error(`${method} is not answered after ${mostRounds} rounds`);
  }

  private create(): Uint8Array {
    const controller = Principal.fromUint8Array(owner);
    const arg = IDL.encode(
      [createArgs],
      [{ amount: [10n ** 16n], settings: [{ controllers: [[controller]] }] }],
    );
    const none = new Uint8Array();
    const reply = this.update(none, 'provisional_create_canister_with_cycles', arg);
    const [created] = IDL.decode([IDL.Record({ canister_id: IDL.Principal })], reply);
    const { canister_id: id } = created as unknown as { canister_id: Principal };
    const install = {
      mode: { install: null },
      canister_id: id,
      wasm_module: this.module,
      arg: none,
    };
    this.update(none, 'install_code', IDL.encode([installArgs], [install]));
    return id.toUint8Array();
  }

  private status(canisterId: Uint8Array): WorkerStatus {
    const query = { sender: owner, canisterId, method: 'status', arg: new Uint8Array() };
    return decodeWorkerStatus(this.ic.query(query));
  }

  /** Waits for a result at the stage that keeps it, fetches it and gives it back. */
  private claim(canisterId: Uint8Array, requestId: bigint): Result {
    const parts: Uint8Array[] = [];
    for (let offset = 0, total = 1, rounds = 0; offset < total;) {
      if (rounds > mostRounds) throw new Error('the result does not come');
      const arg = encodeFetch(epoch, requestId, offset, maxMessageBytes);
      const fetch = { sender: owner, canisterId, method: 'fetch', arg };
      const { finished, part, byteLength } = decodeFetchReply(this.ic.query(fetch));
      if (!finished) {
        this.ic.tick();
        rounds++;
        continue;
      }
      parts.push(part);
      offset += part.length;
      total = byteLength;
    }
    this.update(canisterId, 'release', encodeRelease(epoch, [requestId]));
    return decodeResult(Buffer.concat(parts));
  }

  /** Creates a worker for each shard, loads it, and gives the pipeline they form. */
  deploy(
    shards: readonly Uint8Array[],
    instructionBudget: number,
    resultsStay = false,
    rowsPerTask = 0,
  ): Pipeline {
    const workers = shards.map(() => this.create());
    shards.forEach((shard, stage) => {
      const worker = workers[stage]!;
      const chunks = Array.from({ length: Math.ceil(shard.length / chunkBytes) }, (_, index) =>
        shard.subarray(index * chunkBytes, (index + 1) * chunkBytes),
      );
      const hashes = chunks.map((chunk) => createHash('sha256').update(chunk).digest());
      const config = encodeWorkerConfig({
        epoch,
        stageIndex: stage,
        stageCount: shards.length,
        shardBytes: shard.length,
        chunkBytes,
        shardHash: createHash('sha256').update(Buffer.concat(hashes)).digest(),
        instructionBudget: BigInt(instructionBudget),
        queueLimit: 64,
        queueLimitPerCaller: 64,
        openCalls: 2,
        paced: true,
        resultsStay,
        pipelines: 1,
        rowsPerTask,
        deadlineSeconds: 3600,
        coordinator: owner,
        workers,
      });
      this.update(worker, 'configure', config);
      chunks.forEach((bytes, index) => {
        this.update(worker, 'put_chunk', encodeChunk({ index, hash: hashes[index]!, bytes }));
      });
      this.update(worker, 'load', new Uint8Array());
      for (let round = 0; round < mostRounds; round++) {
        if (this.status(worker).state === WorkerState.ready) return;
        this.ic.tick();
      }
      throw new Error(`stage ${stage} does not get ready`);
    });
    const keeper = workers[resultsStay ? workers.length - 1 : 0]!;
    return {
      statuses: () => workers.map((worker) => this.status(worker)),
      runTogether: (all) => {
        const sent = all.map((feeds, index) => {
          const arg = encodeEnqueue({
            epoch,
            mode: EnqueueMode.ticket,
            owner: Uint8Array.of(index),
            tasks: [encodeBundle(feeds)],
          });
          const call = { sender: owner, canisterId: workers[0]!, method: 'enqueue', arg };
          return this.ic.submitIngress(call).messageId;
        });
        this.ic.tick();
        return sent.map((messageId) => {
          const status = this.ic.ingressStatus(messageId);
          if (status.status !== 'replied') throw new Error(`enqueue is ${status.status}`);
          const result = this.claim(keeper, new ByteReader(status.reply, 'ticket').u64());
          if (result.status !== 'done') throw new Error(result.status);
          const [task] = result.tasks;
          return { outputs: decodeBundle(task!.bundle), traces: task!.traces };
        });
      },
      run: (feeds) => {
        const request = encodeEnqueue({
          mode: EnqueueMode.wait,
          epoch,
          owner,
          tasks: [encodeBundle(feeds)],
        });
        const reply = decodeResult(this.update(workers[0]!, 'enqueue', request));
        const stays = resultsStay && reply.status !== 'failed';
        const result = stays ? this.claim(workers.at(-1)!, reply.requestId) : reply;
        if (result.status === 'failed') throw new Error(result.text);
        const task = result.status === 'done' ? result.tasks[0] : undefined;
        return {
          outputs: task ? decodeBundle(task.bundle) : [],
          traces: task?.traces ?? [],
          moved: result.status === 'moved',
        };
      },
    };
  }
}

/** Workers that hold the stages of a model. */
export interface Pipeline {
  /** What each worker says of itself. */
  statuses(): WorkerStatus[];
  /** Runs one micro-batch; throws with the worker's text. Results too large for a reply are left out. */
  run(feeds: readonly BundleTensor[]): {
    outputs: BundleTensor[];
    traces: StageTrace[];
    moved: boolean;
  };
  /** Runs micro-batches of as many callers, sent at once; throws where one of them fails. */
  runTogether(
    all: readonly (readonly BundleTensor[])[],
  ): { outputs: BundleTensor[]; traces: StageTrace[] }[];
}
