import { createInterface } from 'node:readline/promises';
import { UsageError } from './errors.js';
import type { Output } from './output.js';

/**
 * Asks for a yes at the terminal; any other answer is a no. Throws {@link UsageError} without a terminal,
 * where nobody can answer.
 */
export async function askYes(question: string, output: Output): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UsageError(`${question} Without a terminal nobody can answer: say --yes`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal that is read gets Ctrl-C as a key.
  terminal.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await terminal.question(`${question} [y/N] `, { signal: output.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    output.signal.throwIfAborted();
    throw error;
  } finally {
    terminal.close();
  }
}
