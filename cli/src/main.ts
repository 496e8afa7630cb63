import { CommanderError } from 'commander';
import { UsageError } from './errors.js';
import { makeProgram } from './program.js';

/** Runs the command line; gives the exit code: 0 done, 1 failed, 2 called wrongly. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has already printed its own errors and help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const message = error instanceof Error ? error.message : String(error);
    if (message !== '') process.stderr.write(`canopy: ${message}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}
