import { IDL } from '@dfinity/candid';
import { Principal } from '@dfinity/principal';
import {
  ByteReader,
  ByteWriter,
  WorkerState,
  coordinatorIdl,
  decodeBundle,
  decodeWorkerConfig,
  deploymentFingerprint,
  encodeBundle,
  encodeWorkerStatus,
  interfaceOf,
  maxMessageBytes,
  parsePlan,
  type AccessRecord,
  type ModelRecord,
  type Plan,
  type TensorRecord,
  type TensorSpec,
  type RequestNumber,
} from '@canopy/protocol';
import { CallRejected } from '../errors.js';
import { sleep } from '../abort.js';
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

const statusResult = IDL.Record({
  status: IDL.Variant({ running: IDL.Null, stopping: IDL.Null, stopped: IDL.Null }),
  module_hash: IDL.Opt(IDL.Vec(IDL.Nat8)),
  memory_size: IDL.Nat,
  cycles: IDL.Nat,
  idle_cycles_burned_per_day: IDL.Nat,
  settings: IDL.Record({ freezing_threshold: IDL.Nat }),
});
/** Of every canister here. */
const wellOff = {
  memory_size: 0n,
  cycles: 1_000_000_000_000n,
  idle_cycles_burned_per_day: 0n,
  settings: { freezing_threshold: 0n },
};
const blob = IDL.Vec(IDL.Nat8);
const takeResult = IDL.Record({ id: blob });
const loadArgs = IDL.Record({ canister_id: IDL.Principal, snapshot_id: blob });
const service = coordinatorIdl({ IDL }) as { _fields: [string, IDL.FuncClass][] };

/** A network of one coordinator that doubles `x`, and workers that keep chunks. In memory. */
export class FakeNetwork implements Transport {
  readonly workers = new Map<string, FakeWorker>();
  readonly installed = new Map<string, string>();
  readonly calls: string[] = [];
  readonly models: { name: string; plan: string; workers: Principal[] }[] = [];
  access: AccessRecord<Principal> = {
    owners: [],
    operators: [],
    callers: { open: null },
    anonymous: false,
    quota: { requests_a_day: [], instructions_a_day: [] },
  };
  readonly stopped = new Set<string>();
  /** Modules of the snapshots that were taken; their ids are their places here. */
  readonly snapshots: string[] = [];
  /** Canisters that others manage. */
  readonly foreign = new Set<string>();
  /** Whether it is a test network. */
  isOwn = true;
  /** Thrown by the calls it says yes to. */
  failure: (method: string, canister: string) => Error | undefined = () => undefined;
  /** Answer of `infer` in place of the usual one. */
  inferReply: ((inputs: Uint8Array) => unknown) | undefined;
  fetchReply: ((offset: number) => unknown) | undefined;
  /** Thrown in place of the answer of a call that was carried out. */
  loss: (method: string) => Error | undefined = () => undefined;
  /** Requests that were run. */
  runs = 0;
  /** Numbers of the requests that came. */
  readonly numbers: RequestNumber[] = [];
  /** Called when a call arrives. */
  onCall: (method: string) => void = () => undefined;
  private readonly results = new Map<bigint, Uint8Array>();
  private readonly ticketOf = new Map<bigint, bigint>();
  private created = 0;

  principal(): Promise<string> {
    return Promise.resolve(Principal.anonymous().toText());
  }

  isLocal(): Promise<boolean> {
    return Promise.resolve(this.isOwn);
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

  /** Hex of its key; none unless a test says so. */
  rootKey: () => string | undefined = () => undefined;

  /** What of the management canister is needed here. */
  async manage(method: string, arg: Uint8Array, canister: string): Promise<Uint8Array> {
    this.calls.push(method);
    const failure = this.failure(method, canister);
    if (failure) throw failure;
    if (!this.workers.has(canister)) {
      throw new CallRejected(3, `Canister ${canister} not found`);
    }
    if (this.foreign.has(canister)) {
      throw new CallRejected(5, `Only controllers of canister ${canister} can call ${method}`);
    }
    switch (method) {
      case 'canister_status': {
        const module = this.installed.get(canister);
        const hash = module === undefined ? [] : [await sha256(new TextEncoder().encode(module))];
        const status = { [this.stopped.has(canister) ? 'stopped' : 'running']: null };
        return IDL.encode([statusResult], [{ ...wellOff, status, module_hash: hash }]);
      }
      case 'stop_canister':
        this.stopped.add(canister);
        return IDL.encode([], []);
      case 'start_canister':
        this.stopped.delete(canister);
        return IDL.encode([], []);
      case 'take_canister_snapshot': {
        this.snapshots.push(this.installed.get(canister)!);
        return IDL.encode([takeResult], [{ id: Uint8Array.of(this.snapshots.length - 1) }]);
      }
      case 'load_canister_snapshot': {
        const [{ snapshot_id: id }] = IDL.decode([loadArgs], arg) as unknown as [
          { snapshot_id: Uint8Array },
        ];
        this.installed.set(canister, this.snapshots[id[0]!]!);
        return IDL.encode([], []);
      }
      case 'delete_canister':
        this.workers.delete(canister);
        this.installed.delete(canister);
        return IDL.encode([], []);
      default:
        throw new CallRejected(5, `no method ${method}`);
    }
  }

  /** Forgets everything, as an IC does that is started anew: it gives out the same ids again. */
  restart(): void {
    this.workers.clear();
    this.installed.clear();
    this.models.length = 0;
    this.created = 0;
  }

  installCode({ canister, module, mode }: InstallOptions): Promise<void> {
    const failure = this.failure('install_code', canister);
    if (failure) return Promise.reject(failure);
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
    this.onCall(method);
    const failure = this.failure(method, canister);
    if (failure) throw failure;
    const answer = await (this.installed.get(canister) === 'coordinator'
      ? this.coordinator(method, arg)
      : this.worker(this.workers.get(canister)!, method, arg));
    const lost = this.loss(method);
    if (lost) throw lost;
    return answer;
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

  /** Runs a request unless its number came before; then the answer is its ticket. */
  private ask(method: string, inputs: Uint8Array, [number]: RequestNumber[]): unknown {
    if (number) this.numbers.push(number);
    const earlier = number && this.ticketOf.get(number.id);
    if (earlier === undefined) {
      const given = this.inferReply?.(inputs);
      if (given !== undefined) return given;
    }
    const ticket = earlier ?? BigInt(100 + this.runs);
    if (earlier === undefined) {
      this.runs++;
      this.results.set(ticket, doneResult(doubledBundle(inputs)));
      if (number) this.ticketOf.set(number.id, ticket);
      if (method === 'infer') return doubled(inputs);
    }
    return method === 'infer' ? { ticket } : { ok: ticket };
  }

  /** Results come in parts of 1,000 bytes. */
  private part(ticket: bigint, offset: number): unknown {
    const result = this.results.get(ticket);
    if (result === undefined) {
      return { err: { code: 'unknown-request', message: 'no such ticket', retryable: false } };
    }
    return { part: { bytes: result.subarray(offset, offset + 1000), total: result.length } };
  }

  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- decoded Candid
  private answer(method: string, args: any[]): unknown {
    switch (method) {
      case 'register_model':
        this.models.push(args[0] as (typeof this.models)[number]);
        return { ok: null };
      case 'unregister_model': {
        const index = this.models.findIndex(({ name }) => name === args[0]);
        if (index >= 0) this.models.splice(index, 1);
        return { ok: null };
      }
      case 'models':
        return { models: this.models.map(modelRecord), next: [] };
      case 'plan': {
        const model = this.models.find(({ name }) => name === args[0])!;
        const workers = model.workers.map((id) => id.toText());
        const text = JSON.stringify({ workers, plan: JSON.parse(model.plan) as unknown });
        return { ok: { text: text.slice(args[1] as number), total: text.length } };
      }
      case 'set_access':
        this.access = args[0] as AccessRecord<Principal>;
        return { ok: null };
      case 'access':
        return this.access;
      case 'infer':
      case 'submit':
        return this.ask(method, args[1] as Uint8Array, args[2] as RequestNumber[]);
      case 'fetch':
      case 'fetch_update':
        return (
          this.fetchReply?.(args[1] as number) ?? this.part(args[0] as bigint, args[1] as number)
        );
      case 'release':
        this.results.delete(args[0] as bigint);
        return { ok: null };
      case 'cancel':
        this.results.delete(this.ticketOf.get(args[0] as bigint) ?? -1n);
        return { ok: null };
      default:
        throw new Error(`no method ${method}`);
    }
  }
}

function modelRecord({
  name,
  plan: planText,
  workers,
}: FakeNetwork['models'][number]): ModelRecord {
  const plan = parsePlan(planText);
  const told = interfaceOf(plan);
  const tensor = ({ name, dtype, dims }: TensorSpec): TensorRecord => ({
    name,
    dtype,
    dims: dims.map((dim) => (typeof dim === 'string' ? { open: dim } : { size: dim })),
  });
  return {
    name,
    inputs: told.inputs.map(tensor),
    outputs: told.outputs.map(tensor),
    rows_independent: told.rowsIndependent,
    micro_batch_rows: told.microBatchRows,
    results: [...told.results],
    stages: told.stageCount,
    instructions_per_row: BigInt(told.instructionsPerRow),
    input_bytes: maxMessageBytes,
    deployment: deploymentFingerprint(
      plan,
      workers.map((id) => id.toUint8Array()),
    ),
    problem: [],
  };
}

/** An encoded result of one micro-batch that no stage left a trace of. */
function doneResult(bundle: Uint8Array): Uint8Array {
  const out = new ByteWriter().u32(0).u64(1n).u32(1).u32(0);
  return out.u32(bundle.length).bytes(bundle).finish().slice();
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
