import { writeFileSync } from 'node:fs';
import type { IcChoice, MeasuredRun } from '@canopy/bench';
import { UsageError } from '../errors.js';
import { abortable } from '../interrupt.js';
import { version } from '../version.js';
import { toJson, type Output } from '../output.js';

export interface BenchFlags {
  workers: number[];
  pipelines?: number;
  batch: number[];
  concurrency: number[];
  requests?: number;
  ic?: 'embedded' | 'pocket-ic';
  pocketIcUrl?: string;
  replica?: string;
  identity?: string;
  costs?: ('2026-07' | '2025-10')[];
  dim?: Record<string, number>;
  save?: string;
}

/** An IC to measure on, and what ends it. */
interface ChosenIc {
  choice: IcChoice;
  end: () => void;
}

/** Throws {@link UsageError} where flags contradict each other. */
function checkFlags({ ic, pocketIcUrl, replica, costs }: BenchFlags): void {
  if (replica !== undefined && (ic !== undefined || pocketIcUrl !== undefined)) {
    throw new UsageError('--replica names the IC: leave out --ic and --pocket-ic-url');
  }
  if (pocketIcUrl !== undefined && ic === 'embedded') {
    throw new UsageError('--pocket-ic-url names a PocketIC server: leave out --ic embedded');
  }
  const isEmbedded = replica === undefined && pocketIcUrl === undefined && ic !== 'pocket-ic';
  if (costs && !isEmbedded) {
    throw new UsageError('--costs is for the embedded IC: others have a schedule of their own');
  }
}

async function openChosenIc(flags: BenchFlags): Promise<ChosenIc> {
  const nothing = (): void => undefined;
  if (flags.replica !== undefined) {
    const { connect } = await import('../connect.js');
    const { transport, host: url } = await connect(flags);
    return { choice: { kind: 'replica', url, transport }, end: nothing };
  }
  if (flags.pocketIcUrl !== undefined) {
    return { choice: { kind: 'pocket-ic', url: flags.pocketIcUrl }, end: nothing };
  }
  if (flags.ic === 'pocket-ic') {
    const { startPocketIc } = await import('../local/pocket-ic.js');
    const { stop, ...server } = await startPocketIc();
    return { choice: { kind: 'pocket-ic', ...server }, end: stop };
  }
  return { choice: { kind: 'embedded' }, end: nothing };
}

function durationOf({ rounds, seconds }: MeasuredRun): string {
  return rounds ? `${rounds.total} rounds` : `${(seconds?.total ?? NaN).toFixed(1)} s`;
}

/** `canopy bench MODEL`: what pipelining buys for a model, on the IC that flags choose. */
export async function benchCommand(
  model: string,
  flags: BenchFlags,
  output: Output,
): Promise<void> {
  checkFlags(flags);
  const { choice, end } = await openChosenIc(flags);
  try {
    const { benchmark, icText, runKey, runTable } = await import('@canopy/bench');
    const work = benchmark({
      path: model,
      workers: flags.workers,
      ...(flags.pipelines !== undefined && { pipelines: flags.pipelines }),
      batches: flags.batch,
      concurrencies: flags.concurrency,
      ...(flags.requests !== undefined && { requests: flags.requests }),
      ic: choice,
      canopyVersion: version,
      ...(flags.dim && { dims: flags.dim }),
      ...(flags.costs && { costSchedules: flags.costs }),
      onRun: (run) => {
        output.note(`${runKey(run)}: ${durationOf(run)}`);
      },
    });
    const result = await abortable(output.signal, work);
    const json = toJson(result);
    if (flags.save !== undefined) writeFileSync(flags.save, `${json}\n`);
    if (output.json) {
      output.print(json);
      return;
    }
    output.print(`Measured on ${icText(result.ic)}.`);
    output.print('');
    output.print(runTable(result.runs));
  } finally {
    end();
  }
}
