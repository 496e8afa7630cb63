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
  | 'cannot-run';

/** Why a model could not be planned: what, where, and what to do. */
export class PartitionError extends Error {
  override readonly name = 'PartitionError';
  constructor(
    readonly code: PartitionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text of anything thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
