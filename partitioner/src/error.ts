/** What a {@link PartitionError} is about; stable, for programs. */
export type PartitionErrorCode =
  /** The file cannot be read or is not an ONNX model. */
  | 'bad-model'
  /** Operators, attributes or types outside the supported set; the text lists every one. */
  | 'unsupported'
  /** An option has a value that cannot be. */
  | 'bad-option'
  /** No cut fits the memory or worker limits; the text says what does not fit. */
  | 'does-not-fit'
  /** The model could not be run at the typical sizes of its open dimensions. */
  | 'cannot-run'
  /** This machine's disk or memory does not suffice to plan the model. */
  | 'no-room';

/** One node, weight or input of a model that cannot be run, in the model file's own names. */
export interface Problem {
  node: string;
  /** Operator, or `weight` or `input`. */
  op: string;
  why: string;
  /** What its owner can do. */
  advice: string;
}

/** What a program, or a command with options of its own names, needs to help further. */
export interface PartitionErrorDetails extends ErrorOptions {
  /** With `unsupported`: all that cannot be run, each once. */
  problems?: readonly Problem[] | undefined;
  /** Open dimensions of the model and the sizes planned with; option `dims` sets others. */
  dims?: Readonly<Record<string, number>> | undefined;
  /** With `does-not-fit`: the least `maxWeightsBytes` with which it would fit, where one does. */
  leastWeightsBytes?: number | undefined;
  /** With `does-not-fit`: the least number of workers (of each pipeline) with the limits given. */
  leastWorkers?: number | undefined;
}

/** Why a model could not be planned: what, where, and what to do. */
export class PartitionError extends Error {
  override readonly name = 'PartitionError';
  readonly problems: readonly Problem[] | undefined;
  readonly dims: Readonly<Record<string, number>> | undefined;
  readonly leastWeightsBytes: number | undefined;
  readonly leastWorkers: number | undefined;

  constructor(
    readonly code: PartitionErrorCode,
    message: string,
    details: PartitionErrorDetails = {},
  ) {
    super(message, details);
    this.problems = details.problems;
    this.dims = details.dims;
    this.leastWeightsBytes = details.leastWeightsBytes;
    this.leastWorkers = details.leastWorkers;
  }

  /** The same error with the sizes that were planned with, where others could help. */
  withDims(dims: Readonly<Record<string, number>>): PartitionError {
    if (this.code === 'bad-model' || this.code === 'no-room') return this;
    const { code, message, cause, problems, leastWeightsBytes, leastWorkers } = this;
    const details = { cause, problems, dims, leastWeightsBytes, leastWorkers };
    return new PartitionError(code, message, details);
  }
}

/** What onnxruntime writes around a reason: places in its own source and where its files lie. */
const runtimeNoise = [
  /^[^]*\[ONNXRuntimeError\] : \d+ : \w+ : /,
  /\/onnxruntime_src\/\S+ [^(]*\([^)]*\) (const )?/g,
  /Load model from \S+ failed: ?/,
];

/** The text of anything thrown; of onnxruntime's errors the reason alone, without a full stop. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reason = runtimeNoise.reduce((rest, noise) => rest.replace(noise, ''), text);
  return reason.trim().replace(/\.+$/, '');
}
