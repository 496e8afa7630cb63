import { setTimeout } from 'node:timers/promises';
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
    run: async (update) => {
      await abortable(output.signal, run(update));
      // A signal that came while the step computed is seen when the event loop turns.
      await setTimeout(1);
      output.signal.throwIfAborted();
    },
  }));
  if (output.quiet) {
    for (const step of interruptible) await step.run(() => undefined);
    return;
  }
  const { showSteps } = await import('./progress.js');
  await showSteps(interruptible);
}
