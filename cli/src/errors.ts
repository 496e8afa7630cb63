/** The command was called wrongly: exit code 2. The text says what is expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was right but cannot be carried out: exit code 1. The text says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Numbers of the signals that end a command; a shell adds 128 to them for the exit code. */
const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const;
export type EndingSignal = keyof typeof signalNumbers;

/** The user ended the command: exit code 130 or 143. The text says what remains to be done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;
  constructor(
    readonly signal: EndingSignal,
    advice?: string,
  ) {
    super(advice === undefined ? 'interrupted' : `interrupted: ${advice}`);
    this.exitCode = 128 + signalNumbers[signal];
  }
}
