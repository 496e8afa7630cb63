import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectFlags } from '../connect.js';
import { UsageError } from '../errors.js';
import { frameOf, rowsOf, type Look } from '../frame.js';
import { standingOf } from '../health.js';
import { findManifest } from '../manifests.js';
import { toJson, type Output } from '../output.js';

export interface TopFlags extends ConnectFlags {
  /** Print one frame and end. */
  once?: boolean;
  /**
   * Milliseconds between frames.
   * @default 2000
   */
  every?: number;
}

/** Sequences of a terminal: to its first line; clear the rest of a line, what is below, and all. */
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';
const clearAll = '\u001b[2J';

/** `canopy top DEPLOYMENT`: shows what the canisters of a deployment do, until it is interrupted. */
export async function topCommand(name: string, flags: TopFlags, output: Output): Promise<void> {
  const { every = 2000 } = flags;
  const { requireReady } = await import('@canopy/client');
  const deployment = requireReady(await findManifest(name));
  const isLive = flags.once !== true;
  if (isLive && (output.json || !process.stdout.isTTY)) {
    throw new UsageError('a live view needs a terminal: --once prints one frame');
  }
  const { connectToDeployment } = await import('../connect.js');
  const { transport } = await connectToDeployment(deployment, flags);
  const look = async (checked: boolean): Promise<Look> => {
    const standing = await standingOf(deployment, transport, checked);
    return { standing, atMs: Date.now() };
  };
  const first = await look(false);
  await pause(every, output.signal);
  if (output.signal.aborted) return;
  let [before, now] = [first, await look(true)];
  if (!isLive) {
    const { problems, metrics } = now.standing;
    output.print(
      output.json
        ? toJson({ model: deployment.model, metrics, canisters: rowsOf(now, before), problems })
        : frameOf(deployment.model, now, before),
    );
    return;
  }
  let trouble: string[] = [];
  process.stdout.write(clearAll);
  while (!output.signal.aborted) {
    const lines = [...frameOf(deployment.model, now, before).split('\n'), ...trouble];
    process.stdout.write(
      `${home}${lines.map((line) => line + clearLine).join('\n')}\n${clearBelow}`,
    );
    await pause(every, output.signal);
    try {
      [before, now] = [now, await look(true)];
      trouble = [];
    } catch (error) {
      // A look that fails is no end: the next one may succeed.
      trouble = [`! ${(error as Error).message.split('\n', 1)[0]!}`];
    }
  }
}

/** Waits, or returns when the user wants no more. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
