/** The command was called wrongly: exit code 2. The text says what is expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was right but cannot be carried out: exit code 1. The text says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
