/** What a {@link ProtocolError} is about; stable, for programs. */
export type ProtocolErrorCode = 'truncated' | 'bad-magic' | 'bad-version' | 'bad-value';

/** Bytes or a plan that do not follow a format of this package. The text says which field and why. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  constructor(
    readonly code: ProtocolErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Codes that workers and the coordinator put in front of every rejection: `[code] text`.
 * `retryable` means that the same request may succeed later without being changed.
 */
export const CanisterError = {
  badMessage: { code: 'bad-message', retryable: false },
  notAuthorised: { code: 'not-authorised', retryable: false },
  quota: { code: 'quota', retryable: false },
  notConfigured: { code: 'not-configured', retryable: true },
  otherEpoch: { code: 'other-epoch', retryable: true },
  deadline: { code: 'deadline', retryable: true },
  notReady: { code: 'not-ready', retryable: true },
  busy: { code: 'busy', retryable: true },
  lowOnCycles: { code: 'low-on-cycles', retryable: true },
  badInput: { code: 'bad-input', retryable: false },
  badShard: { code: 'bad-shard', retryable: false },
  badChunk: { code: 'bad-chunk', retryable: true },
  unsupported: { code: 'unsupported', retryable: false },
  outOfMemory: { code: 'out-of-memory', retryable: false },
  nextStage: { code: 'next-stage', retryable: true },
  unknownRequest: { code: 'unknown-request', retryable: false },
  unknownModel: { code: 'unknown-model', retryable: false },
  modelExists: { code: 'model-exists', retryable: false },
  cancelled: { code: 'cancelled', retryable: true },
  tooLarge: { code: 'too-large', retryable: false },
  unreachable: { code: 'unreachable', retryable: true },
  trapped: { code: 'trapped', retryable: false },
  internal: { code: 'internal', retryable: false },
} as const;

export type CanisterErrorCode = (typeof CanisterError)[keyof typeof CanisterError]['code'];

/** Splits `[code] text` as canisters send it; undefined where the text has another form. */
export function parseCanisterError(
  text: string,
): { code: CanisterErrorCode; message: string; retryable: boolean } | undefined {
  const match = /\[([a-z-]+)\] ([^]*)/.exec(text);
  const known = Object.values(CanisterError).find((entry) => entry.code === match?.[1]);
  return match && known
    ? { code: known.code, message: match[2] ?? '', retryable: known.retryable }
    : undefined;
}
