import type { DTypeName } from './dtype.js';
import { DType } from './dtype.js';
import { ProtocolError } from './error.js';
import { encodeName } from './names.js';

export const planVersion = 1;

/**
 * A named input or output; a dimension is a size, or a name where the model leaves it open. Open
 * dimensions of inputs that share a name have the same size; those of outputs may be expressions.
 */
export interface TensorSpec {
  name: string;
  dtype: DTypeName;
  dims: readonly (number | string)[];
}

/** Predicted cost of a stage for one micro-batch of so many rows, shapes as in `Plan.typicalDims`. */
export interface StagePrediction {
  rows: number;
  /** Instructions over all messages of the micro-batch in this stage, pages included. */
  instructions: number;
  /** Of them, for pages touched. */
  pageInstructions: number;
  messages: number;
  bytesReceived: number;
  bytesSent: number;
  /** Most heap the activations take at once, with what kernels take while they run. */
  scratchBytes: number;
}

export interface StagePlan {
  index: number;
  /** Nodes of its program. */
  nodes: number;
  /** Multiply-adds of one row at the typical shapes. */
  multiplyAdds: number;
  weightsBytes: number;
  shardBytes: number;
  /** Hex SHA-256 over the SHA-256 hashes of the shard's chunks. */
  shardHash: string;
  /** Names of the tensors it takes and gives, in the order of its bundles. */
  inputs: readonly string[];
  outputs: readonly string[];
  predictions: readonly StagePrediction[];
}

/** How a model is cut: what the client deploys and the coordinator admits requests by. JSON. */
export interface Plan {
  format: 'canopy-plan';
  version: typeof planVersion;
  model: { name: string; sha256: string };
  costSchedule: string;
  inputs: readonly TensorSpec[];
  outputs: readonly TensorSpec[];
  /**
   * Whether rows (dimension 0 of every input and output) are independent, so that a request may be
   * cut into micro-batches and joined again. It follows from the model's graph, or its owner says so.
   */
  rowsIndependent: boolean;
  /** Rows of a micro-batch; 1 where rows are not independent means the whole request. */
  microBatchRows: number;
  /**
   * Whether results stay at the last stage, and are fetched there, instead of going to the head: where
   * a row of outputs is large. False in plans that do not say.
   */
  resultsStay: boolean;
  /** Sizes taken for open dimensions in the predictions. */
  typicalDims: Readonly<Record<string, number>>;
  chunkBytes: number;
  /** Instructions a message may use before it continues in another. */
  instructionBudget: number;
  /**
   * Pipelines of the same stages, each of workers of its own, which share the requests. 1 in plans that
   * do not say.
   */
  pipelines: number;
  stages: readonly StagePlan[];
}

/** Most pipelines of a plan. */
export const maxPipelines = 256;

function fail(what: string): never {
  throw new ProtocolError('bad-value', `plan: ${what}`);
}

function checkSpecs(specs: unknown, field: string): void {
  if (!Array.isArray(specs) || specs.length === 0)
    fail(`"${field}" must be a list that is not empty`);
  for (const spec of specs as (Partial<TensorSpec> | null)[]) {
    if (typeof spec?.name !== 'string') fail(`"${field}" has an entry without a name`);
    encodeName(spec.name);
    if (spec.dtype === undefined || !(spec.dtype in DType)) {
      fail(`"${field}": "${spec.name}" has unknown type ${String(spec.dtype)}`);
    }
    const dims: unknown = spec.dims;
    if (!Array.isArray(dims) || !dims.every((dim) => typeof dim === 'string' || isSize(dim))) {
      fail(`"${field}": "${spec.name}" needs dimensions: sizes or names`);
    }
  }
}

function isSize(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 0xffffffff;
}

function isNames(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string')
  );
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0;
}

function checkStage(stage: Partial<StagePlan> | null, index: number): void {
  if (stage?.index !== index) fail(`stage ${index} has index ${String(stage?.index)}`);
  if (!/^[0-9a-f]{64}$/.test(stage.shardHash ?? '')) fail(`stage ${index}: "shardHash" is no hash`);
  if (!isNames(stage.inputs)) fail(`stage ${index}: "inputs" must be names of tensors`);
  if (!isNames(stage.outputs)) fail(`stage ${index}: "outputs" must be names of tensors`);
  if (!isCount(stage.shardBytes)) {
    fail(`stage ${index}: "shardBytes" must be a whole number of 1 or more`);
  }
  if (!Array.isArray(stage.predictions)) fail(`stage ${index}: "predictions" must be a list`);
}

/** Reads a plan from JSON and checks what coordinator and client rely on. Throws {@link ProtocolError}. */
export function parsePlan(json: string): Plan {
  let plan: Partial<Plan> | null;
  try {
    plan = JSON.parse(json) as Partial<Plan> | null;
  } catch (error) {
    fail(`not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (plan?.format !== 'canopy-plan') fail('"format" is not "canopy-plan"');
  if (plan.version !== planVersion) {
    throw new ProtocolError(
      'bad-version',
      `plan: version ${String(plan.version)}; this release reads ${planVersion}`,
    );
  }
  if (typeof plan.model?.name !== 'string' || plan.model.name === '')
    fail('"model.name" is missing');
  checkSpecs(plan.inputs, 'inputs');
  checkSpecs(plan.outputs, 'outputs');
  if (!Number.isInteger(plan.microBatchRows) || (plan.microBatchRows ?? 0) < 1) {
    fail('"microBatchRows" must be a whole number of 1 or more');
  }
  for (const field of ['chunkBytes', 'instructionBudget'] as const) {
    if (!isCount(plan[field])) fail(`"${field}" must be a whole number of 1 or more`);
  }
  if (typeof plan.rowsIndependent !== 'boolean') fail('"rowsIndependent" must be true or false');
  plan.resultsStay ??= false;
  if (typeof plan.resultsStay !== 'boolean') fail('"resultsStay" must be true or false');
  plan.pipelines ??= 1;
  const { pipelines } = plan;
  if (!Number.isInteger(pipelines) || pipelines < 1 || pipelines > maxPipelines) {
    fail(`"pipelines" must be a whole number from 1 to ${maxPipelines}`);
  }
  if (!Array.isArray(plan.stages) || plan.stages.length === 0) fail('"stages" must not be empty');
  plan.stages.forEach(checkStage);
  return plan as Plan;
}

/** Workers of a plan: one for each stage of each pipeline. */
export function workerCount({ stages, pipelines }: Pick<Plan, 'stages' | 'pipelines'>): number {
  return stages.length * pipelines;
}

/** Where the worker at `index` of all workers stands, pipeline after pipeline, each stage by stage. */
export function pipelinePlace(
  { stages }: Pick<Plan, 'stages'>,
  index: number,
): { pipeline: number; stage: number } {
  return { pipeline: Math.floor(index / stages.length), stage: index % stages.length };
}

/** Where worker `index` of a deployment stands, for people: `stage 1`, or `pipeline 0, stage 1`. */
export function placeText(plan: Pick<Plan, 'stages' | 'pipelines'>, index: number): string {
  const { pipeline, stage } = pipelinePlace(plan, index);
  return plan.pipelines === 1 ? `stage ${stage}` : `pipeline ${pipeline}, stage ${stage}`;
}

/** The workers of each pipeline, of a list that holds pipeline after pipeline, each stage by stage. */
export function byPipeline<T>(
  workers: readonly T[],
  { stages }: Pick<Plan, 'stages'>,
): (readonly T[])[] {
  const count = Math.ceil(workers.length / stages.length);
  return Array.from({ length: count }, (_, pipeline) =>
    workers.slice(pipeline * stages.length, (pipeline + 1) * stages.length),
  );
}
