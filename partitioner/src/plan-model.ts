import { createHash } from 'node:crypto';
import { basename, dirname, extname, resolve } from 'node:path';
import {
  defaultChunkBytes,
  defaultInstructionBudget,
  maxPipelines,
  maxStageMessageBytes,
  planVersion,
  type BundleTensor,
  type Plan,
  type StagePlan,
  type StagePrediction,
  type TensorSpec,
} from '@canopy/protocol';
import { multiplyAdds } from './cost/work/node-work.js';
import { costSchedule, defaultCostSchedule, type CostScheduleName } from './cost/model.js';
import { resultsStay } from './cost/stage.js';
import type { Expectation } from './cut/expectation.js';
import { planCuts } from './cut/plan-cuts.js';
import { engineBytes, ProgramChain, type StageLimits } from './cut/program-chain.js';
import { chunkCount, makeShard, shardChunk, shardHash } from './emit/shard.js';
import type { FixedValues } from './fix-values.js';
import { PartitionError } from './error.js';
import type { NamedValue } from './graph/graph.js';
import {
  quantizeWeights,
  weightTypes,
  type WeightBlock,
  type WeightType,
} from './graph/quantize-weights.js';
import { nameDimensions } from './graph/shapes/open-dimensions.js';
import { planHashes } from './kept/plan-hashes.js';
import { loadModel, type LoadedModel } from './load.js';
import { weightSizes, type WeightSizes } from './weight-sizes.js';

/** Settings of {@link planModel}. */
export interface PlanOptions {
  /** Name under which the coordinator knows the model. Default: the file's name without its ending; of
   * a file called `model.onnx`, the name of its folder. */
  name?: string;
  /**
   * How many workers the model takes, in all its pipelines together; `auto` chooses by `goal`. Default:
   * as few as the memory limits need.
   */
  workers?: number | 'auto';
  /**
   * How many pipelines the workers form. Each is a whole copy of the model, cut over its workers, and
   * they share the requests: fewer borders to cross, more weights to hold. `auto` chooses by `goal`.
   * Default: 1, and `auto` where `workers` is.
   */
  pipelines?: number | 'auto';
  /** What `auto` aims at: many inferences a round, or few rounds for one request. Default: throughput. */
  goal?: 'throughput' | 'latency';
  /** Most bytes of weights in one worker. Default: 2 GiB; at most what a heap of 3 GiB has room for. */
  maxWeightsBytes?: number;
  /** Sizes of open dimensions to plan with, by name, where the usual ones do not fit. */
  dims?: Record<string, number>;
  /**
   * Values that inputs and open dimensions have for good, by name: an input becomes a constant, which requests
   * do not carry, and requests of other sizes are refused. Needed where such a value decides what a model
   * computes (the sample rate of a voice-activity detector).
   */
  fixed?: FixedValues;
  /**
   * Inputs to plan with, by name, where made-up values would not do (a shape, indices). Their rows are
   * repeated for several rows.
   */
  samples?: readonly BundleTensor[];
  /**
   * How the constant matrices of products (MatMul, Gemm) are stored: as floats, as int8 with a scale for
   * each column, or as int4 with a scale for each block of a column. Activations are rounded to 16 bits
   * a row then. Default: f32.
   */
  weights?: WeightType;
  /** Numbers of a column that share an int4 scale: 32 or 128. Default: 32. */
  weightBlock?: WeightBlock;
  /** Cost schedule of the predictions. Default: the one in force. */
  costSchedule?: CostScheduleName;
  /** Bytes of a shard's chunk. */
  chunkBytes?: number;
  /** Instructions a message may use before it goes on in another. */
  instructionBudget?: number;
  /**
   * Rows of a micro-batch. Default: the size that `dims` gives for the batch, or else as many as keep
   * every stage's message within the budget.
   */
  microBatchRows?: number;
  /**
   * Whether each row of a request (dimension 0 of all inputs) is worked on by itself, so that requests
   * may be cut into micro-batches. Default: what follows from the graph; a model of which it cannot be
   * told is not cut. Say `true` only where you know it: wrong answers follow otherwise.
   */
  rowsIndependent?: boolean;
  /**
   * Folder in which hashes of models and shards are kept: a model that was planned before, and whose files
   * are the same by path, size, times and inode, is neither packed nor hashed again. At most 64 plans are
   * kept. Default: nothing is kept.
   */
  hashFolder?: string;
}

/** Where the model's tensors go, and the bytes to upload for it. */
export interface PlannedModel {
  plan: Plan;
  /** Nodes of the model file, after onnxruntime's clean-up, and of the programs. */
  nodes: { model: number; optimized: number; program: number };
  /** Bytes of weights in the model's files and on the workers of a pipeline. */
  weights: WeightSizes;
  /**
   * Heap of each stage's worker after a task of the largest micro-batch, as its `status` tells it. What is
   * left of a heap of {@link maxHeapBytes} is for requests and tasks that wait, and for results that are
   * kept: up to 256 MiB each, then the worker is busy, and the oldest results go.
   */
  heapBytes: readonly number[];
  /** Names of the matrices that are stored in integers. */
  quantized: readonly string[];
  /** Why requests are not cut into micro-batches; undefined where they are. */
  whyNotCut: string | undefined;
  /** What the plan promises when requests never run out, and for one alone; all workers on one subnet. */
  expectation: Expectation;
  /** Where workers or pipelines are `auto`: what was chosen among, by numbers of workers and pipelines. */
  considered: readonly Expectation[];
  /** What did not go as it should, though the plan is right; for people. */
  notes: readonly string[];
  /** Bytes of shards that were packed and hashed for the plan; 0 where all hashes were kept from before. */
  packedBytes: number;
  /** Chunks of a stage's shard. */
  chunkCount(stage: number): number;
  /** SHA-256 of a chunk. */
  shardChunkHash(stage: number, index: number): Uint8Array;
  /** One chunk, packed now. */
  readShardChunk(stage: number, index: number): Promise<Uint8Array>;
  /** A whole shard, chunk after chunk. */
  writeShard(stage: number): AsyncIterable<Uint8Array>;
  /** Removes intermediate files; chunks cannot be read afterwards. Also done when the process ends. */
  close(): void;
}

const defaultMaxWeightsBytes = 2 * 1024 ** 3;
/** Wasm memory limit that canisters have unless told otherwise. */
export const maxHeapBytes = 3 * 1024 ** 3;

/** The file's name; of a file called model.onnx, its folder's. */
function nameOf(path: string): string {
  const name = basename(path, extname(path));
  return name === 'model' ? basename(dirname(resolve(path))) : name;
}

function tensorSpecs(values: readonly NamedValue[]): TensorSpec[] {
  const dims = nameDimensions(values);
  return values.map(({ name, dtype }, index) => ({ name, dtype, dims: dims[index]! }));
}

/** Outputs with the sizes that the model states, and those that follow from the graph where it does not. */
function outputSpecs({ original, program }: LoadedModel): TensorSpec[] {
  return tensorSpecs(
    original.outputs.map((output) => {
      const derived = program.values.get(output.name)!.shapes.dims;
      const dims = derived.map((dim, axis) => {
        if (typeof dim === 'number') return dim;
        return output.dims?.[axis] ?? dim.text;
      });
      return { ...output, dims };
    }),
  );
}

function requirePositive(options: PlanOptions): void {
  for (const name of [
    'maxWeightsBytes',
    'chunkBytes',
    'instructionBudget',
    'microBatchRows',
  ] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      throw new PartitionError('bad-option', `${name}: ${value} is not a whole number above 0`);
    }
  }
  for (const name of ['workers', 'pipelines'] as const) {
    const value = options[name];
    if (value !== undefined && value !== 'auto' && !(Number.isInteger(value) && value > 0)) {
      throw new PartitionError('bad-option', `${name}: ${value} is not a whole number above 0`);
    }
  }
  const { weights = 'f32', weightBlock } = options;
  if (!weightTypes.includes(weights)) {
    throw new PartitionError(
      'bad-option',
      `weights: "${weights}" is not ${weightTypes.join(', ')}`,
    );
  }
  if (weightBlock !== undefined && (weights !== 'int4' || ![32, 128].includes(weightBlock))) {
    throw new PartitionError(
      'bad-option',
      `weightBlock: ${weightBlock} with ${weights} weights; int4 weights take 32 or 128`,
    );
  }
  const largest = maxHeapBytes - engineBytes;
  if (options.maxWeightsBytes !== undefined && options.maxWeightsBytes > largest) {
    throw new PartitionError(
      'bad-option',
      `maxWeightsBytes: ${options.maxWeightsBytes} is more than the ${largest} bytes that a worker's ` +
        'heap has room for beside its engine',
    );
  }
  if (typeof options.pipelines === 'number' && options.pipelines > maxPipelines) {
    throw new PartitionError(
      'bad-option',
      `pipelines: ${options.pipelines} is more than ${maxPipelines}`,
    );
  }
}

/** The options that decide what values weights have; the others decide where they go. */
function contentsOf({
  dims,
  fixed,
  samples,
  weights,
  weightBlock,
  rowsIndependent,
}: PlanOptions): unknown {
  const given = samples?.map(({ name, dtype, dims, data }) => [
    name,
    dtype,
    dims,
    createHash('sha256').update(data).digest('hex'),
  ]);
  return { dims, fixed, given, weights, weightBlock, rowsIndependent };
}

/** Of a message with a chunk: its index and hash. */
const chunkHeaderBytes = 36;

/** What a stage of nodes `[start, end)` costs for micro-batches of as many rows as the chains are for. */
function predictions(
  chains: readonly ProgramChain[],
  start: number,
  end: number,
): StagePrediction[] {
  return chains.map((chain) => ({ rows: chain.rows, ...chain.stage(start, end) }));
}

/**
 * Plans how to run an ONNX model on worker canisters: cleans the graph up, predicts what every
 * operation costs, cuts the model into stages and says what each stage's shard holds.
 *
 * Weights stay in the model's files until a chunk is asked for. The same file and options give the
 * same bytes.
 *
 * @example
 * const planned = await planModel('model.onnx', { maxWeightsBytes: 4 * 1024 * 1024 });
 * console.log(formatPlan(planned));
 *
 * Throws {@link PartitionError}.
 */
export async function planModel(path: string, options: PlanOptions = {}): Promise<PlannedModel> {
  requirePositive(options);
  const scheduleName = options.costSchedule ?? defaultCostSchedule;
  const schedule = costSchedule(scheduleName);
  const chunkBytes = options.chunkBytes ?? defaultChunkBytes;
  const limits: StageLimits = {
    maxWeightsBytes: options.maxWeightsBytes ?? defaultMaxWeightsBytes,
    maxHeapBytes,
    maxMessageBytes: maxStageMessageBytes,
    instructionBudget: options.instructionBudget ?? defaultInstructionBudget,
  };
  const { dims = {}, samples, rowsIndependent, fixed } = options;
  const model = await loadModel(path, dims, samples, rowsIndependent, fixed);
  try {
    const { independent } = model.independence;
    const quantized = quantizeWeights(model.program, options.weights ?? 'f32', options.weightBlock);
    // A size given for the batch is a number of rows to plan with.
    const givenRows = model.rows === undefined ? undefined : dims[model.rows];
    const rowsWanted = options.microBatchRows ?? (givenRows === 0 ? undefined : givenRows);
    const { cuts, expectation, considered } = planCuts(model.program, schedule, limits, {
      workers: options.workers,
      pipelines: options.pipelines ?? (options.workers === 'auto' ? 'auto' : 1),
      goal: options.goal ?? 'throughput',
      rows: independent ? rowsWanted : 1,
      rowsIndependent: independent,
    });
    const { rows } = expectation;
    const rowCounts = rows === 1 ? [1] : [1, rows];
    const chains = rowCounts.map(
      (count) => new ProgramChain(model.program, count, schedule, limits),
    );
    const [chain, largest] = [chains[0]!, chains.at(-1)!];
    const ranges = cuts.slice(0, -1).map((start, index) => {
      const end = cuts[index + 1]!;
      const nodes = model.program.nodes.slice(start, end);
      const [inputs, outputs] = [chain.valuesAt(start), chain.valuesAt(end)];
      return { start, end, shard: makeShard(model.program, { nodes, inputs, outputs }) };
    });
    const shards = ranges.map(({ shard }) => shard);
    const hashed = { path, graph: model.original, shards, chunkBytes };
    const hashes = await planHashes(
      { ...hashed, options: contentsOf(options) },
      options.hashFolder,
    );
    const stages = ranges.map(({ start, end, shard }, index): StagePlan => {
      const nodes = model.program.nodes.slice(start, end);
      return {
        index,
        nodes: nodes.length,
        multiplyAdds: nodes.reduce((sum, node) => sum + multiplyAdds(model.program, node, 1), 0),
        weightsBytes: shard.weightsBytes,
        shardBytes: shard.byteLength,
        shardHash: shardHash(hashes.chunks[index]!),
        inputs: chain.valuesAt(start),
        outputs: chain.valuesAt(end),
        predictions: predictions(chains, start, end),
      };
    });
    const heapBytes = ranges.map(({ start, end, shard }) => {
      const chunk = Math.min(chunkBytes, shard.byteLength) + chunkHeaderBytes;
      return largest.heapBytes(start, end, chunk);
    });
    const plan: Plan = {
      format: 'canopy-plan',
      version: planVersion,
      model: { name: options.name ?? nameOf(path), sha256: hashes.model },
      costSchedule: scheduleName,
      inputs: tensorSpecs(model.original.inputs),
      outputs: outputSpecs(model),
      rowsIndependent: independent,
      microBatchRows: rows,
      resultsStay: resultsStay(model.program, stages.length),
      typicalDims: model.dims,
      chunkBytes,
      instructionBudget: limits.instructionBudget,
      pipelines: expectation.pipelines,
      stages,
    };
    return {
      plan,
      nodes: {
        model: model.original.nodes.length,
        optimized: model.graph.nodes.length,
        program: model.program.nodes.length,
      },
      quantized,
      weights: weightSizes(model.original, model.program, stages),
      heapBytes,
      whyNotCut: model.independence.independent ? undefined : model.independence.why,
      expectation,
      considered,
      notes: model.notes,
      packedBytes: hashes.packedBytes,
      shardChunkHash: (stage, index) => hashes.chunks[stage]![index]!,
      chunkCount: (stage) => chunkCount(shards[stage]!, chunkBytes),
      readShardChunk: (stage, index) =>
        Promise.resolve(shardChunk(shards[stage]!, index, chunkBytes)),
      // eslint-disable-next-line @typescript-eslint/require-await -- an async face over files read at once
      async *writeShard(stage) {
        const shard = shards[stage]!;
        for (let index = 0; index < chunkCount(shard, chunkBytes); index++) {
          yield shardChunk(shard, index, chunkBytes);
        }
      },
      close: () => {
        model.close();
      },
    };
  } catch (error) {
    model.close();
    throw error instanceof PartitionError ? error.withDims(model.dims) : error;
  }
}
