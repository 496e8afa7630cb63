import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import { Ic, type ExecutedSlice } from '@canopy/local-ic';
import {
  encodeChunk,
  encodeEnqueue,
  encodeWorkerConfig,
  decodeResult,
  decodeWorkerStatus,
  WorkerState,
  type Result,
  type WorkerConfig,
  type WorkerStatus,
} from '@canopy/protocol';
import { workerWasmGz } from '../index.js';
import { bytesOf, callerOf, epoch, type Shard } from './pipeline.js';

const settings = IDL.Record({ controllers: IDL.Opt(IDL.Vec(IDL.Principal)) });
const createArgs = IDL.Record({ amount: IDL.Opt(IDL.Nat), settings: IDL.Opt(settings) });
const created = IDL.Record({ canister_id: IDL.Principal });
const mode = IDL.Variant({ install: IDL.Null, upgrade: IDL.Null });
const installArgs = IDL.Record({
  mode,
  canister_id: IDL.Principal,
  wasm_module: IDL.Vec(IDL.Nat8),
  arg: IDL.Vec(IDL.Nat8),
});
const snapshotArgs = IDL.Record({
  canister_id: IDL.Principal,
  replace_snapshot: IDL.Opt(IDL.Vec(IDL.Nat8)),
});
const snapshotReply = IDL.Record({ id: IDL.Vec(IDL.Nat8) });
const loadArgs = IDL.Record({
  canister_id: IDL.Principal,
  snapshot_id: IDL.Vec(IDL.Nat8),
  sender_canister_version: IDL.Opt(IDL.Nat64),
});
const none = new Uint8Array(0);

/** Workers with their shards on the embedded IC; the test is controller and coordinator. */
export class EmbeddedPipeline {
  readonly ic = new Ic({ subnets: [{ kind: 'application' }] });
  readonly me = bytesOf('0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c02');
  readonly workers: Uint8Array[];
  /** Rounds executed. */
  rounds = 0;

  constructor(
    readonly shards: Shard[],
    private readonly options: Partial<WorkerConfig>,
    private readonly chunkBytes: number,
  ) {
    this.workers = shards.map(() => this.create());
    shards.forEach((_, stage) => {
      this.deploy(stage);
    });
  }

  private create(): Uint8Array {
    const controllers: [Principal[]] = [[Principal.fromUint8Array(this.me)]];
    const arg = IDL.encode([createArgs], [{ amount: [10n ** 16n], settings: [{ controllers }] }]);
    const reply = this.update(none, 'provisional_create_canister_with_cycles', arg);
    const [{ canister_id }] = IDL.decode([created], reply) as unknown as [
      { canister_id: Principal },
    ];
    this.install(canister_id.toUint8Array(), { install: null });
    return canister_id.toUint8Array();
  }

  private install(canister: Uint8Array, how: object): void {
    const canisterId = Principal.fromUint8Array(canister);
    const args = { mode: how, canister_id: canisterId, wasm_module: workerWasmGz(), arg: none };
    this.update(none, 'install_code', IDL.encode([installArgs], [args]));
  }

  /** Takes a snapshot of a worker; its id. */
  takeSnapshot(stage: number): Uint8Array {
    const canisterId = Principal.fromUint8Array(this.workers[stage]!);
    const arg = IDL.encode([snapshotArgs], [{ canister_id: canisterId, replace_snapshot: [] }]);
    const [{ id }] = IDL.decode(
      [snapshotReply],
      this.update(none, 'take_canister_snapshot', arg),
    ) as unknown as [{ id: Uint8Array }];
    return Uint8Array.from(id);
  }

  loadSnapshot(stage: number, snapshotId: Uint8Array): void {
    const canisterId = Principal.fromUint8Array(this.workers[stage]!);
    const args = { canister_id: canisterId, snapshot_id: snapshotId, sender_canister_version: [] };
    this.update(none, 'load_canister_snapshot', IDL.encode([loadArgs], [args]));
  }

  upgrade(stage: number): void {
    this.install(this.workers[stage]!, { upgrade: null });
  }

  private deploy(stage: number): void {
    const { bytes, chunks, hash, hashes } = this.shards[stage]!;
    const config: WorkerConfig = {
      epoch,
      stageIndex: stage,
      stageCount: this.workers.length,
      shardBytes: bytes.length,
      chunkBytes: this.chunkBytes,
      shardHash: hash,
      instructionBudget: 1_800_000_000n,
      queueLimit: 1000,
      queueLimitPerCaller: 1000,
      openCalls: 16,
      paced: true,
      resultsStay: false,
      pipelines: 1,
      rowsPerTask: 0,
      deadlineSeconds: 100_000,
      coordinator: this.me,
      workers: this.workers,
      ...this.options,
    };
    const worker = this.workers[stage]!;
    this.update(worker, 'configure', encodeWorkerConfig(config));
    chunks.forEach((chunk, index) => {
      const arg = encodeChunk({ index, hash: hashes[index]!, bytes: chunk });
      this.update(worker, 'put_chunk', arg);
    });
    this.update(worker, 'load', none);
    this.runUntil(() => this.status(stage).state === WorkerState.ready);
  }

  status(stage: number): WorkerStatus {
    return decodeWorkerStatus(this.query(stage, 'status', none));
  }

  query(stage: number, method: string, arg: Uint8Array): Uint8Array {
    const canisterId = this.workers[stage]!;
    return this.ic.query({ sender: this.me, canisterId, method, arg });
  }

  submit(canisterId: Uint8Array, method: string, arg: Uint8Array): Uint8Array {
    return this.ic.submitIngress({ sender: this.me, canisterId, method, arg }).messageId;
  }

  /** The reply of a call; undefined while there is none. Throws with the text of a rejection. */
  reply(messageId: Uint8Array): Uint8Array | undefined {
    const status = this.ic.ingressStatus(messageId);
    if (status.status === 'rejected') throw status.error;
    return status.status === 'replied' ? status.reply : undefined;
  }

  update(canister: Uint8Array, method: string, arg: Uint8Array): Uint8Array {
    const id = this.submit(canister, method, arg);
    this.runUntil(() => this.reply(id) !== undefined);
    return this.reply(id)!;
  }

  /**
   * Sends the head a request; the id of its call.
   *
   * @param coordinatorLoad million instructions that the coordinator says it takes in a round
   */
  enqueue(mode: number, tasks: Uint8Array[], callerKey = 1n, coordinatorLoad = 0): Uint8Array {
    const arg = encodeEnqueue({ epoch, mode, coordinatorLoad, owner: callerOf(callerKey), tasks });
    return this.submit(this.workers[0]!, 'enqueue', arg);
  }

  /** What a call of `enqueue` that waits is answered with, executing rounds until it is there. */
  doneResult(callId: Uint8Array): Extract<Result, { status: 'done' }> {
    this.runUntil(() => this.reply(callId) !== undefined);
    const result = decodeResult(this.reply(callId)!);
    if (result.status !== 'done') throw new Error(JSON.stringify(result.status));
    return result;
  }

  /** A round, a second of it. */
  round(): void {
    this.ic.advanceTime(1_000_000_000n);
    this.ic.tick();
    this.rounds++;
  }

  runUntil(condition: () => boolean, limit = 2000): void {
    for (let count = 0; !condition(); count++) {
      if (count === limit) throw new Error(`not there after ${limit} rounds`);
      this.round();
    }
  }

  /** What the workers executed while `action` ran, by stage. */
  executed(action: () => void): (ExecutedSlice & { stage: number })[] {
    const seen: (ExecutedSlice & { stage: number })[] = [];
    const ids = this.workers.map((id) => Buffer.from(id).toString('hex'));
    this.ic.observer = (slice) => {
      const stage = ids.indexOf(Buffer.from(slice.canisterId).toString('hex'));
      if (stage >= 0) seen.push({ ...slice, stage });
    };
    try {
      action();
    } finally {
      this.ic.observer = undefined;
    }
    return seen;
  }
}
