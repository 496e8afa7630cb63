import { ByteReader, ByteWriter } from './bytes.js';
import { ProtocolError } from './error.js';

/** `CWC2`: begins a {@link WorkerConfig}. */
export const configurationMagic = 0x32435743;

/** What a controller tells a worker about its place; may be sent again. */
export interface WorkerConfig {
  /**
   * Number of the configuration: the same for all workers of a model, another whenever one of them is
   * configured otherwise. Every message about runs carries it.
   */
  epoch: bigint;
  stageIndex: number;
  stageCount: number;
  /** Bytes of the shard, and of each chunk but the last. */
  shardBytes: number;
  chunkBytes: number;
  /** SHA-256 over the SHA-256 hashes of all chunks in order. */
  shardHash: Uint8Array;
  /** Instructions a message may use before the work goes on in a self-call. */
  instructionBudget: bigint;
  /** Most requests the head keeps waiting; more are refused as busy. */
  queueLimit: number;
  /** Most requests of one caller among them. */
  queueLimitPerCaller: number;
  /**
   * Most calls of `enqueue` that the head keeps open until their result is there; more are answered
   * with `pending`. Each costs a message in every iteration, and its answer makes the coordinator a
   * canister at work beside the stages.
   */
  openCalls: number;
  /**
   * Whether the head launches only so many tasks a message that every stage has some (what Canopy
   * does), or each request as soon as it comes (for comparison).
   */
  paced: boolean;
  /**
   * Whether the last stage keeps the results and is asked for them, instead of sending them to the
   * head. The same for all stages; no effect where there is one stage.
   */
  resultsStay: boolean;
  /** Pipelines of the model, this one included: how many workers share the threads of the subnet. */
  pipelines: number;
  /**
   * Rows that the head puts together into one task, of one or several runs; 0 where the results of a
   * row depend on its neighbours.
   */
  rowsPerTask: number;
  /** Seconds after which a run that names no deadline is given up. */
  deadlineSeconds: number;
  coordinator: Uint8Array;
  /** Workers of all stages of this pipeline in order; [0] is the head. */
  workers: readonly Uint8Array[];
}

export function encodeWorkerConfig(config: WorkerConfig): Uint8Array {
  const out = new ByteWriter().u32(configurationMagic).u64(config.epoch, 'epoch');
  out.u32(config.stageIndex, 'stage index').u32(config.stageCount, 'stage count');
  out.u32(config.shardBytes, 'bytes of the shard').u32(config.chunkBytes, 'bytes of a chunk');
  out.exactly(32, config.shardHash, 'hash of the shard');
  out.u64(config.instructionBudget, 'instruction budget').u32(config.queueLimit, 'queue limit');
  out.u32(config.queueLimitPerCaller, 'queue limit of each caller');
  out.u32(config.openCalls, 'open calls');
  out.u32(config.paced ? 1 : 0).u32(config.resultsStay ? 1 : 0);
  out.u32(config.pipelines, 'pipelines').u32(config.rowsPerTask, 'rows of a task');
  out.u32(config.deadlineSeconds, 'deadline').shortBytes(config.coordinator, 'the coordinator');
  for (const worker of config.workers) out.shortBytes(worker, 'a worker');
  return out.finish();
}

/** Inverse of {@link encodeWorkerConfig}. Throws {@link ProtocolError}. */
export function decodeWorkerConfig(bytes: Uint8Array): WorkerConfig {
  const input = new ByteReader(bytes, 'worker configuration');
  if (input.u32() !== configurationMagic) {
    throw new ProtocolError('bad-magic', 'worker configuration: it does not begin with "CWC2"');
  }
  const fixed = {
    epoch: input.u64(),
    stageIndex: input.u32(),
    stageCount: input.u32(),
    shardBytes: input.u32(),
    chunkBytes: input.u32(),
    shardHash: input.bytes(32),
    instructionBudget: input.u64(),
    queueLimit: input.u32(),
    queueLimitPerCaller: input.u32(),
    openCalls: input.u32(),
    paced: input.u32() !== 0,
    resultsStay: input.u32() !== 0,
    pipelines: input.u32(),
    rowsPerTask: input.u32(),
    deadlineSeconds: input.u32(),
    coordinator: input.shortBytes(),
  };
  const workers = Array.from({ length: fixed.stageCount }, () => input.shortBytes());
  return { ...fixed, workers };
}

export const WorkerState = { empty: 0, configured: 1, loading: 2, ready: 3 } as const;

export interface WorkerStatus {
  state: number;
  stageIndex: number;
  stageCount: number;
  chunksHeld: number;
  chunkCount: number;
  /** Hash of what is held, zeros until ready. */
  shardHash: Uint8Array;
  weightsBytes: number;
  nodes: number;
  /** Requests waiting in the queue and tasks under way. */
  waiting: number;
  tasksDone: bigint;
  instructions: bigint;
  heapBytes: number;
  stableBytes: bigint;
  /** Bytes of the heap that weights, activations, queue and results take. */
  heapUsedBytes: number;
  /** Instructions spent in the program since the canister was started, and of them in operators. */
  programInstructions: bigint;
  operatorInstructions: bigint;
  /** Of the configuration; 0 where there is none. */
  epoch: bigint;
  /** SHA-256 of the encoded {@link WorkerConfig}, zeros where there is none. */
  configurationHash: Uint8Array;
  /** The encoded {@link WorkerConfig} itself, empty where there is none. */
  configuration: Uint8Array;
  /** Undefined of workers of earlier versions. 2^64 - 1 stands for more. */
  cycles?: { balance: bigint; aboveFreezing: bigint };
}

/** Bytes of {@link WorkerStatus.cycles}. */
const cyclesBytes = 16;

/** A status as a worker sends it; what is left out is zero. For those who stand in for a worker. */
export function encodeWorkerStatus(status: Partial<WorkerStatus>): Uint8Array {
  const out = new ByteWriter();
  out
    .u32(status.state ?? 0)
    .u32(status.stageIndex ?? 0)
    .u32(status.stageCount ?? 0);
  out.u32(status.chunksHeld ?? 0).u32(status.chunkCount ?? 0);
  out.bytes(status.shardHash ?? new Uint8Array(32));
  out
    .u32(status.weightsBytes ?? 0)
    .u32(status.nodes ?? 0)
    .u32(status.waiting ?? 0);
  out.u64(status.tasksDone ?? 0n).u64(status.instructions ?? 0n);
  out
    .u32(status.heapBytes ?? 0)
    .u64(status.stableBytes ?? 0n)
    .u32(status.heapUsedBytes ?? 0);
  out.u64(status.programInstructions ?? 0n).u64(status.operatorInstructions ?? 0n);
  out.u64(status.epoch ?? 0n).bytes(status.configurationHash ?? new Uint8Array(32));
  const configuration = status.configuration ?? new Uint8Array(0);
  out.u32(configuration.length).bytes(configuration);
  if (status.cycles) out.u64(status.cycles.balance).u64(status.cycles.aboveFreezing);
  return out.finish();
}

export function decodeWorkerStatus(bytes: Uint8Array): WorkerStatus {
  const input = new ByteReader(bytes, 'worker status');
  const status: WorkerStatus = {
    state: input.u32(),
    stageIndex: input.u32(),
    stageCount: input.u32(),
    chunksHeld: input.u32(),
    chunkCount: input.u32(),
    shardHash: input.bytes(32),
    weightsBytes: input.u32(),
    nodes: input.u32(),
    waiting: input.u32(),
    tasksDone: input.u64(),
    instructions: input.u64(),
    heapBytes: input.u32(),
    stableBytes: input.u64(),
    heapUsedBytes: input.u32(),
    programInstructions: input.u64(),
    operatorInstructions: input.u64(),
    epoch: input.u64(),
    configurationHash: input.bytes(32),
    configuration: input.bytes(input.u32()),
  };
  if (input.remaining >= cyclesBytes) {
    status.cycles = { balance: input.u64(), aboveFreezing: input.u64() };
  }
  return status;
}
