/** Raised when a field changes its meaning or shape, or goes. Files of version 1 are still read. */
export const schemaVersion = 2;

export type CostSchedule = '2026-07' | '2025-10';
/** The four ways to run a model; see METHODOLOGY.md. */
export type Way = 'a' | 'b' | 'c' | 'd';

/** What a run's time is told in: rounds where the benchmark drives them, else seconds of the clock. */
export type Unit = 'round' | 'second';

/** Which Internet Computer was measured. */
export interface IcAbout {
  kind: 'embedded' | 'pocket-ic' | 'replica';
  /** Null where it does not tell. */
  version: string | null;
  /** Address of a server or replica; null of the embedded one. */
  url: string | null;
}

/**
 * What `npm run bench` and `canopy bench` write. Every figure is defined in METHODOLOGY.md. On the
 * embedded IC every figure of a run is there; others leave out what they do not tell.
 */
export interface BenchResult<Run extends MeasuredRun = RunResult> {
  schemaVersion: typeof schemaVersion;
  canopyVersion: string;
  node: string;
  ic: IcAbout;
  mode: 'full' | 'quick' | 'custom';
  /** US dollars an XDR, for `usdPer1000`. */
  usdPerXdr: number;
  models: ModelResult[];
  runs: Run[];
  load?: LoadResult;
}

export interface ModelResult {
  name: string;
  about: string;
  weightsBytes: number;
  /** Of one input. */
  multiplyAdds: number;
  inputBytes: number;
  /** Way d on 4 workers, by stage; empty where it was not run in both schedules. */
  split: StageSplit[];
  /** What `canopy plan --workers auto --for throughput` chooses; not in results of version 1. */
  autoWorkers?: number;
  /** @default 1 */
  autoPipelines?: number;
  /** Seconds on the embedded IC over seconds in onnxruntime-node; the one figure that is not exact. */
  secondsRatio?: number;
}

/** What a stage spends on one input, schedule 2026-07. */
export interface StageSplit {
  kernels: number;
  interpreter: number;
  pages: number;
  messages: number;
}

/** A stage, in all pipelines together, in a run on any IC; null where that IC does not tell. */
export interface MeasuredStage {
  nodes: number;
  weightsBytes: number;
  multiplyAdds: number;
  /** Instructions of one input as the plan predicted, and as the IC counted. */
  predicted: number;
  counted: number | null;
  /** Instructions of one input as the worker itself counts them; null in results of version 1. */
  reported: number | null;
  /** Of the counted ones, for touching pages. */
  pages: number | null;
  /** In the interpreter's loop, and of them in operators; the worker counts both. */
  program: number;
  operators: number;
  /** To the next stage, for one input. */
  bytesSent: number;
  sliceFullness: number | null;
  /** Of its worker in the first pipeline. */
  heapBytes: number | null;
  stableBytes: number | null;
}

/** Of all requests of a run, in its unit. */
export interface Durations {
  total: number;
  median: number;
  p95: number;
}

export interface Memory {
  heapBytes: number;
  stableBytes: number;
}

/** A run on any IC; null where that IC does not tell. */
export interface MeasuredRun {
  model: string;
  way: Way;
  /** In all pipelines together. */
  workers: number;
  /** Pipelines that share the requests; each holds the whole model. 1 in results that do not say. */
  pipelines: number;
  /** Inputs a request. */
  batch: number;
  /** Requests in flight. */
  concurrency: number;
  /** Null where the IC's own schedule is not known. */
  costSchedule: CostSchedule | null;
  settings: { instructionBudget: number; microBatchRows: number; paced: boolean };
  requests: number;
  /** Says which are given: `rounds` and `inferencesPerRound`, or `seconds` and `inferencesPerSecond`. */
  unit: Unit;
  rounds: Durations | null;
  inferencesPerRound: number | null;
  seconds: Durations | null;
  inferencesPerSecond: number | null;
  /** Over the steady window; null where that has fewer than 3 rounds. */
  steady: { rounds: number; inferencesPerRound: number; modelInstructionsPerRound: number } | null;
  /** `workers`, `pages` and `coordinator` as the IC counts them, `model` as the workers do. */
  instructionsPerInput: {
    workers: number | null;
    model: number;
    pages: number | null;
    coordinator: number | null;
  };
  stages: MeasuredStage[];
  sliceFullness: number | null;
  /** Share of the workers' instructions spent while 1, 2, 3, … of them were at work. */
  atWork: number[] | null;
  /** Of the worker that changed most, bytes a round. */
  heapChangedPerRound: number | null;
  cyclesPer1000: number | null;
  usdPer1000: number | null;
  storageUsdPer30Days: number | null;
  coordinator: Memory | null;
  /** What `canopy plan` expected, where it says something about such a load. */
  predicted: { rounds: number; inferencesPerRound: number } | null;
}

/** A stage in a run on the embedded IC. */
export interface StageResult extends MeasuredStage {
  counted: number;
  pages: number;
  sliceFullness: number;
  heapBytes: number;
  stableBytes: number;
}

/** A run on the embedded IC, which tells of everything. */
export interface RunResult extends MeasuredRun {
  costSchedule: CostSchedule;
  unit: 'round';
  rounds: Durations;
  inferencesPerRound: number;
  seconds: null;
  inferencesPerSecond: null;
  instructionsPerInput: { workers: number; model: number; pages: number; coordinator: number };
  stages: StageResult[];
  sliceFullness: number;
  atWork: number[];
  heapChangedPerRound: number;
  cyclesPer1000: number;
  usdPer1000: number;
  storageUsdPer30Days: number;
  coordinator: Memory;
}

/** The two runs about fairness and steadiness. */
export interface LoadResult {
  callers: {
    callers: number;
    requests: number;
    failed: number;
    swapped: number;
    mostToLeastServed: number;
    /** Of every canister, the coordinator first: after request 1,000 less after request 100. */
    heapGrowthBytes: number[];
  };
  flood: {
    sent: number;
    refused: number;
    lost: number;
    /** Median rounds of the caller that sends one at a time, without and with the flood. */
    aloneRounds: number;
    besideRounds: number;
  };
  /** Instructions of the coordinator for a request of one micro-batch, and for each further one. */
  coordinator: { first: number; further: number };
}

/** Inferences a round while the pipeline is full; of the whole run where it never is for long. */
export function bestRate(run: RunResult): number {
  return run.steady?.inferencesPerRound ?? run.inferencesPerRound;
}

/** Whether every slice of a run was observed, as on the embedded IC. */
export function isObserved(run: MeasuredRun): run is RunResult {
  return run.sliceFullness !== null;
}

/** Tells runs apart that differ in what was asked, not in what was measured. */
export function runKey(run: MeasuredRun): string {
  const { model, way, workers, pipelines, batch, concurrency, costSchedule } = run;
  const shape =
    pipelines === 1 ? `${workers} workers` : `${workers} workers, ${pipelines} pipelines`;
  const load = `${model} ${way} ${shape} batch ${batch} concurrency ${concurrency}`;
  return costSchedule === null ? load : `${load} ${costSchedule}`;
}

/** A result file of version 1: rounds of the embedded IC only, and no instructions as workers count. */
interface ResultOfVersion1 {
  ic: Pick<IcAbout, 'version'>;
  runs: RunResult[];
}

function fromVersion1(value: ResultOfVersion1): Partial<BenchResult> {
  return {
    ...value,
    schemaVersion,
    ic: { kind: 'embedded', version: value.ic.version, url: null },
    runs: value.runs.map((run) => ({
      ...run,
      unit: 'round',
      seconds: null,
      inferencesPerSecond: null,
      stages: run.stages.map((stage) => ({ ...stage, reported: null })),
    })),
  };
}

function pipelinesOf({ pipelines }: Partial<RunResult>): number {
  return pipelines ?? 1;
}

/**
 * Reads a result file's text, that of a run on the embedded IC. Throws where it is not one, or of a
 * version that is not known.
 */
export function parseBenchResult(json: string, path: string): BenchResult {
  let value: Partial<Omit<BenchResult, 'schemaVersion'>> & { schemaVersion?: number };
  try {
    value = JSON.parse(json) as typeof value;
  } catch (error) {
    throw new Error(`${path} is not JSON: ${String(error)}`, { cause: error });
  }
  if (value.schemaVersion !== schemaVersion && value.schemaVersion !== 1) {
    throw new Error(
      `${path} has schema version ${String(value.schemaVersion)}, this release reads ${schemaVersion}: run the benchmark again`,
    );
  }
  if (!Array.isArray(value.runs) || !Array.isArray(value.models)) {
    throw new Error(`${path} has no list of runs and models`);
  }
  if (value.ic?.kind !== 'embedded') {
    throw new Error(`${path} was not measured on the embedded IC: figures are missing`);
  }
  const current = value.schemaVersion === 1 ? fromVersion1(value as ResultOfVersion1) : value;
  const result = current as BenchResult;
  // Earlier releases had one pipeline only and did not say so.
  return { ...result, runs: result.runs.map((run) => ({ ...run, pipelines: pipelinesOf(run) })) };
}
