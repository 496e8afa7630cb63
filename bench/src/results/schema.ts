/** Raised when a field changes its meaning or goes. */
export const schemaVersion = 1;

export type CostSchedule = '2026-07' | '2025-10';
/** The four ways to run a model; see METHODOLOGY.md. */
export type Way = 'a' | 'b' | 'c' | 'd';

/** What `npm run bench` and `canopy bench` write. Every figure is defined in METHODOLOGY.md. */
export interface BenchResult {
  schemaVersion: typeof schemaVersion;
  canopyVersion: string;
  node: string;
  ic: { kind: 'embedded' | 'pocketic' | 'replica'; version: string };
  mode: 'full' | 'quick' | 'custom';
  /** US dollars an XDR, for `usdPer1000`. */
  usdPerXdr: number;
  models: ModelResult[];
  runs: RunResult[];
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

export interface StageResult {
  nodes: number;
  weightsBytes: number;
  multiplyAdds: number;
  /** Instructions of one input as the plan predicted, and as counted. */
  predicted: number;
  counted: number;
  /** Of the counted ones, for touching pages. */
  pages: number;
  /** Of the counted ones, in the interpreter's loop, and in operators. */
  program: number;
  operators: number;
  /** To the next stage, for one input. */
  bytesSent: number;
  sliceFullness: number;
  heapBytes: number;
  stableBytes: number;
}

export interface RunResult {
  model: string;
  way: Way;
  workers: number;
  /** Inputs a request. */
  batch: number;
  /** Requests in flight. */
  concurrency: number;
  costSchedule: CostSchedule;
  settings: { instructionBudget: number; microBatchRows: number; paced: boolean };
  requests: number;
  rounds: { total: number; median: number; p95: number };
  inferencesPerRound: number;
  /** Over the steady window; null where that has fewer than 3 rounds. */
  steady: { rounds: number; inferencesPerRound: number; modelInstructionsPerRound: number } | null;
  /** `model` and `pages` are parts of `workers`. */
  instructionsPerInput: { workers: number; model: number; pages: number; coordinator: number };
  stages: StageResult[];
  sliceFullness: number;
  /** Share of the workers' instructions spent while 1, 2, 3, … of them were at work. */
  atWork: number[];
  /** Of the worker that changed most, bytes a round. */
  heapChangedPerRound: number;
  cyclesPer1000: number;
  usdPer1000: number;
  storageUsdPer30Days: number;
  coordinator: { heapBytes: number; stableBytes: number };
  /** What `canopy plan` expected, where it says something about such a load. */
  predicted: { inferencesPerRound: number; roundsForOne: number } | null;
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

/** Tells runs apart that differ in what was asked, not in what was measured. */
export function runKey(run: RunResult): string {
  const { model, way, workers, batch, concurrency, costSchedule } = run;
  return `${model} ${way} ${workers} workers batch ${batch} concurrency ${concurrency} ${costSchedule}`;
}

/** Reads a result file's text. Throws where it is not one, or of another version. */
export function parseBenchResult(json: string, path: string): BenchResult {
  let value: Partial<BenchResult>;
  try {
    value = JSON.parse(json) as Partial<BenchResult>;
  } catch (error) {
    throw new Error(`${path} is not JSON: ${String(error)}`, { cause: error });
  }
  if (value.schemaVersion !== schemaVersion) {
    throw new Error(
      `${path} has schema version ${String(value.schemaVersion)}, this release reads ${schemaVersion}: run the benchmark again`,
    );
  }
  if (!Array.isArray(value.runs) || !Array.isArray(value.models)) {
    throw new Error(`${path} has no list of runs and models`);
  }
  return value as BenchResult;
}
