export type BenchIcErrorCode =
  /** Nothing answers at the address. */
  | 'unreachable'
  /** What answers is no PocketIC server. */
  | 'not-pocket-ic'
  /** It refused something, or broke off. */
  | 'refused'
  /** A call was not answered in the rounds allowed. */
  | 'no-answer'
  /** The caller has no cycles to create canisters with. */
  | 'no-cycles';

/** The Internet Computer to measure on cannot be used; the text says which and why. */
export class BenchIcError extends Error {
  override readonly name = 'BenchIcError';
  constructor(
    readonly code: BenchIcErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What is wrong, in one line; `fetch` hides it in the cause. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown }).code;
  if (typeof code === 'string') return code;
  return (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0]!;
}
