import { CanisterError, ProtocolError, type CoordinatorErrorRecord } from '@canopy/protocol';

/** A request that cannot be served; becomes the `err` variant of the reply. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';
  constructor(
    readonly kind: { code: string; retryable: boolean },
    message: string,
  ) {
    super(message);
  }
}

/** Runs `read` over what a caller sent; malformed bytes become `bad-input`. */
export function readInput<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) {
      throw new CoordinatorError(CanisterError.badInput, error.message);
    }
    throw error;
  }
}

/** What a caller is told about `error`; anything unforeseen is `internal`. */
export function errorRecord(error: unknown): CoordinatorErrorRecord {
  if (error instanceof CoordinatorError) {
    return {
      code: error.kind.code,
      message: error.message,
      retryable: error.kind.retryable,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { ...CanisterError.internal, message };
}
