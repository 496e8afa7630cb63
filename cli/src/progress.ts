import { Writable } from 'node:stream';
import {
  Listr,
  ListrLogLevels,
  ListrLogger,
  ProcessOutput,
  type ListrDefaultRendererLogLevels,
  type LoggerFieldOptions,
} from 'listr2';
import type { Step } from './step.js';

/**
 * A logger for Listr that takes stderr for stdout: that is where progress belongs. Of a failed step it
 * shows the title only: the command says why in its last line.
 */
class StderrLogger<
  Levels extends ListrLogLevels | ListrDefaultRendererLogLevels,
> extends ListrLogger<Levels> {
  constructor() {
    const nothing = new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
    const stdout = nothing as unknown as NodeJS.WriteStream;
    super({ processOutput: new ProcessOutput(process.stderr, stdout), useIcons: true });
  }

  override log(level: Levels, message: string, options?: LoggerFieldOptions): void {
    super.log(level, message, level === ListrLogLevels.FAILED ? undefined : options);
  }
}

/** A terminal that is narrower, or does not tell its width, gets plain lines. */
const leastColumns = 20;

/** Runs steps one after the other and shows their progress on stderr, plainly without a terminal. */
export async function showSteps(steps: readonly Step[]): Promise<void> {
  const list = new Listr(
    steps.map(({ title, run }) => ({
      title,
      task: async (_: unknown, task: { output: string }): Promise<void> => {
        await run((text) => {
          task.output = text;
        });
      },
    })),
    {
      registerSignalListeners: false,
      fallbackRendererCondition: () =>
        !process.stderr.isTTY || process.stderr.columns < leastColumns,
      rendererOptions: {
        logger: new StderrLogger<ListrDefaultRendererLogLevels>(),
        showErrorMessage: false,
      },
      fallbackRendererOptions: { logger: new StderrLogger<ListrLogLevels>() },
    },
  );
  await list.run();
}
