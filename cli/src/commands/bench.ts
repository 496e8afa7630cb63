import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { benchmark, runKey, runTable } from '@canopy/bench';
import { toJson, type Output } from '../output.js';

export interface BenchFlags {
  workers: number[];
  batch: number[];
  concurrency: number[];
  costs?: ('2026-07' | '2025-10')[];
  dim?: Record<string, number>;
  save?: string;
}

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** `canopy bench MODEL`: what pipelining buys for a model, counted on the embedded IC. */
export async function benchCommand(
  model: string,
  flags: BenchFlags,
  output: Output,
): Promise<void> {
  const result = await benchmark({
    path: model,
    workers: flags.workers,
    batches: flags.batch,
    concurrencies: flags.concurrency,
    canopyVersion: version,
    ...(flags.dim && { dims: flags.dim }),
    ...(flags.costs && { costSchedules: flags.costs }),
    onRun: (run) => {
      output.note(`${runKey(run)}: ${run.rounds.total} rounds`);
    },
  });
  const json = toJson(result);
  if (flags.save !== undefined) writeFileSync(flags.save, `${json}\n`);
  output.print(output.json ? json : runTable(result.runs));
}
