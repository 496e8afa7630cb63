import { CommanderError } from 'commander';
import { Interrupted, UsageError } from './errors.js';
import { explain } from './explain.js';
import { catchSignals } from './interrupt.js';
import { makeProgram } from './program.js';

/** Runs the command line; gives the exit code, which `exit-codes.ts` explains. */
export async function main(args: readonly string[]): Promise<number> {
  const interruption = catchSignals();
  try {
    const program = makeProgram(interruption.signal);
    await Promise.race([program.parseAsync(args, { from: 'user' }), interruption.overdue]);
    return 0;
  } catch (error) {
    // Commander has already printed its own errors and help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) {
      restoreTerminal();
      process.stderr.write(`canopy: ${error.message}\n`);
      return error.exitCode;
    }
    const text = explain(error);
    if (text !== '') process.stderr.write(`canopy: ${text}\n`);
    return isMistake(error) ? 2 : 1;
  } finally {
    interruption.stop();
  }
}

/** Whether the command was called wrongly, by what it or the planner says. */
function isMistake(error: unknown): boolean {
  return error instanceof UsageError || (error as { code?: unknown }).code === 'bad-option';
}

/** Begins a new line and shows the cursor, which progress hides. */
function restoreTerminal(): void {
  if (process.stderr.isTTY) process.stderr.write('\n\u001b[?25h');
}
