import { Principal } from '@dfinity/principal';
import {
  ByteReader,
  ByteWriter,
  RunEnd,
  encodeEndedRuns,
  principalFieldBytes,
  type EndedRun,
  type Plan,
} from '@canopy/protocol';
import type { CyclesHeld, Ic, PrincipalLike } from '../canister/ic/ic.js';

export const alice = Principal.fromUint8Array(Uint8Array.of(1, 1));
export const bob = Principal.fromUint8Array(Uint8Array.of(2, 2));
export const coordinatorId = Principal.fromUint8Array(Uint8Array.of(3, 3));
const workerId = (index: number): Principal =>
  Principal.fromUint8Array(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, index, 1, 1));
export const workerIds = [0, 1].map(workerId);
/** Workers of a second pipeline. */
export const moreWorkerIds = [2, 3].map(workerId);

/** An IC whose workers are functions. */
export class FakeIc implements Ic {
  sender: Principal = alice;
  controllers: Principal[] = [alice];
  time = 1_000n;
  canisterVersion = 0n;
  readonly logged: string[] = [];
  readonly calls: { canister: string; method: string; bytes: Uint8Array }[] = [];
  /** What was asked to run later, and not stopped. */
  readonly timers: (() => void)[] = [];
  /** Nanoseconds that pass with each look at the clock. */
  step = 1n;
  onCall: (method: string, bytes: Uint8Array, canister: string) => Uint8Array = () =>
    new Uint8Array();

  caller(): PrincipalLike {
    return this.sender;
  }
  self(): PrincipalLike {
    return coordinatorId;
  }
  principal(bytes: Uint8Array): PrincipalLike {
    return Principal.fromUint8Array(bytes);
  }
  isController(principal: PrincipalLike): boolean {
    return this.controllers.some((one) => one.toText() === principal.toText());
  }
  now(): bigint {
    this.time += this.step;
    return this.time;
  }
  /** Methods that the coordinator called itself. */
  readonly ownCalls: string[] = [];
  callItself(method: string): void {
    this.ownCalls.push(method);
  }
  seeds = 0;
  async seed(): Promise<void> {
    await Promise.resolve();
    this.seeds++;
  }
  /** Not random, but other bytes each time. */
  random(count: number): Uint8Array {
    return Uint8Array.from(
      { length: count },
      (_, index) => (this.drawn = this.drawn * 7 + index) & 0xff,
    );
  }
  private drawn = 1;
  log(text: string): void {
    this.logged.push(text);
  }
  held = { balance: 10n ** 13n, liquid: 10n ** 13n };
  cycles(): CyclesHeld {
    return this.held;
  }
  memoryBytes(): number {
    return 65_536;
  }
  certificate(): Uint8Array | undefined {
    return Uint8Array.of(1, 2, 3);
  }
  version(): bigint {
    return this.canisterVersion;
  }
  every(_seconds: number, run: () => void): () => void {
    this.timers.push(run);
    return () => {
      const at = this.timers.indexOf(run);
      if (at >= 0) this.timers.splice(at, 1);
    };
  }
  async call(canister: PrincipalLike, method: string, bytes: Uint8Array): Promise<Uint8Array> {
    await Promise.resolve();
    this.calls.push({ canister: canister.toText(), method, bytes });
    return this.onCall(method, bytes, canister.toText());
  }
}

const hash = (digit: string): string => digit.repeat(64);

/** Two stages; rows are independent, two to a micro-batch. */
export function samplePlan(): Plan {
  const stage = (index: number, inputs: string[], outputs: string[]): Plan['stages'][number] => ({
    index,
    nodes: 1,
    multiplyAdds: 1,
    weightsBytes: 4,
    shardBytes: 100,
    shardHash: hash(String(index)),
    inputs,
    outputs,
    predictions: [],
  });
  return {
    format: 'canopy-plan',
    version: 1,
    model: { name: 'sample', sha256: hash('a') },
    costSchedule: '2026-07',
    inputs: [
      { name: 'x', dtype: 'float32', dims: ['batch', 2] },
      { name: 'mask', dtype: 'int64', dims: ['batch'] },
    ],
    outputs: [{ name: 'y', dtype: 'float32', dims: ['batch', 2] }],
    rowsIndependent: true,
    microBatchRows: 2,
    resultsStay: false,
    typicalDims: { batch: 1 },
    chunkBytes: 1024,
    instructionBudget: 1e9,
    pipelines: 1,
    stages: [stage(0, ['mask', 'x'], ['h']), stage(1, ['h'], ['y'])],
  };
}

/** The tasks of an `enqueue` argument. */
export function readEnqueue(bytes: Uint8Array): {
  mode: number;
  coordinatorLoad: number;
  deadlineSeconds: number;
  epoch: bigint;
  owner: Uint8Array;
  tasks: Uint8Array[];
} {
  const { epoch, coordinatorLoad, runs } = readTogether(bytes);
  if (runs.length !== 1) throw new Error(`${runs.length} requests in one message`);
  return { epoch, coordinatorLoad, ...runs[0]! };
}

/** The requests of an `enqueue` argument. */
export function readTogether(bytes: Uint8Array): {
  epoch: bigint;
  coordinatorLoad: number;
  runs: { mode: number; deadlineSeconds: number; owner: Uint8Array; tasks: Uint8Array[] }[];
} {
  const input = new ByteReader(bytes, 'enqueue');
  const epoch = input.u64();
  const coordinatorLoad = input.u16();
  input.u16();
  const runs = Array.from({ length: input.u32() }, () => {
    input.u32();
    const mode = input.u32();
    const deadlineSeconds = input.u32();
    const field = input.bytes(principalFieldBytes);
    const owner = field.subarray(1, 1 + field[0]!);
    const tasks = Array.from({ length: input.u32() }, () => input.bytes(input.u32()));
    return { mode, deadlineSeconds, owner, tasks };
  });
  return { epoch, coordinatorLoad, runs };
}

/** Reply of `release` that says of each request that it was done, or as given. */
export function endedRuns(requestIds: readonly bigint[], how: Partial<EndedRun> = {}): Uint8Array {
  const done = { end: RunEnd.done, byteLength: 0, stage: 0, text: '', traces: [] };
  return encodeEndedRuns(requestIds.map((requestId) => ({ requestId, ...done, ...how })));
}

/** A `done` result; each task has one trace a stage. */
export function doneResult(requestId: bigint, bundles: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter().u32(0).u64(requestId).u32(bundles.length);
  for (const bundle of bundles) {
    out.u32(2);
    for (const stage of [0, 1]) {
      out
        .u64(BigInt(1000 + stage))
        .u32(1)
        .u32(10)
        .u32(20)
        .u32(30)
        .u64(0n);
    }
    out.u32(bundle.length).bytes(bundle);
  }
  return out.finish();
}

/** A `failed` result. */
export function failedResult(requestId: bigint, stage: number, text: string): Uint8Array {
  return new ByteWriter().u32(1).u64(requestId).u32(stage).text(text).finish();
}
