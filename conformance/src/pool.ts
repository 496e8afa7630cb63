import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Case } from './cases.js';
import type { Tolerance } from './numbers.js';
import type { Outcome } from './outcome.js';

/** After so long a case hangs. */
const patienceMs = 120_000;

/** What came of a case, or how its process ended. */
function answerOf(child: ChildProcess): Promise<Outcome | string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      settle(`no answer after ${patienceMs / 1000} s`);
    }, patienceMs);
    const onExit = (code: number | null, signal: string | null): void => {
      settle(`the process ended with ${signal ?? code}`);
    };
    const settle = (answer: Outcome | string): void => {
      clearTimeout(timer);
      child.off('exit', onExit).off('message', settle);
      resolve(answer);
    };
    child.once('exit', onExit).once('message', settle);
  });
}

/** Runs cases in another process; one that ends it, or hangs, has failed, and another process goes on. */
export async function runCases(
  cases: readonly Case[],
  workers: number,
  tolerance: Tolerance,
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  let child: ChildProcess | undefined;
  for (const next of cases) {
    child ??= fork(fileURLToPath(new URL('./child.js', import.meta.url)), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child.stderr?.resume();
    const answer = answerOf(child);
    child.send({ case: next, workers, tolerance });
    const outcome = await answer;
    if (typeof outcome !== 'string') {
      onOutcome(outcome);
      continue;
    }
    child = undefined;
    const { name } = next;
    onOutcome({
      name,
      operators: [],
      status: 'failed',
      why: outcome,
      missing: [],
      reference: false,
    });
  }
  child?.kill();
}
