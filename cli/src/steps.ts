import { abortable } from './interrupt.js';
import type { Output } from './output.js';
import type { Step } from './step.js';

/**
 * Runs steps one after the other and shows their progress, unless the output is quiet. Ends with the
 * reason of `output.signal` as soon as that is aborted.
 */
export async function runSteps(output: Output, steps: readonly Step[]): Promise<void> {
  const interruptible = steps.map(({ title, run }): Step => ({
    title,
    run: (update) => abortable(output.signal, run(update)),
  }));
  if (output.quiet) {
    for (const step of interruptible) await step.run(() => undefined);
    return;
  }
  const { showSteps } = await import('./progress.js');
  await showSteps(interruptible);
}
