/** Seeds are run by processes beside each other, each with a server of its own. */
import { fork, type ChildProcess } from 'node:child_process';
import { inspect } from 'node:util';
import { startServer } from '@canopy/pocketic-tests';
import { meaningOf, runSeed, type SeedReport } from './seed.js';

/** Runs the seeds that the parent process names, and answers with their reports. */
export async function serveSeeds(): Promise<void> {
  const server = await startServer();
  process.on('message', (seed: number) => {
    void reportOf(server.getUrl(), seed).then((report) => process.send!(report));
  });
  process.once('disconnect', () => {
    void server.stop().then(() => process.exit(0));
  });
  process.send!('ready');
}

async function reportOf(url: string, seed: number): Promise<SeedReport> {
  try {
    return await runSeed(url, seed);
  } catch (error) {
    const { kind, shape } = meaningOf(seed);
    return {
      seed,
      kind: kind.name,
      shape: shape.name,
      counts: {},
      accepted: 0,
      lost: 0,
      rounds: 0,
      doubled: 0,
      // With its causes: a connection's error says little by itself.
      problems: [`the run ended: ${inspect(error)}`],
      events: [],
    };
  }
}

/** The next seed for a process: one of the shape it has just run, whose cases it knows. */
function take(seeds: number[], shape: string | undefined): number | undefined {
  const same = seeds.findIndex((seed) => meaningOf(seed).shape.name === shape);
  return seeds.splice(Math.max(same, 0), 1)[0];
}

/** Runs seeds in so many processes, and tells of each report as it comes. */
export async function runSeeds(
  seeds: readonly number[],
  processes: number,
  onReport: (report: SeedReport) => void,
): Promise<void> {
  const left = [...seeds];
  const children = Array.from({ length: Math.min(processes, left.length) }, () =>
    fork(process.argv[1]!, ['--child'], { execArgv: process.execArgv }),
  );
  await Promise.all(children.map((child) => runChild(child, left, onReport)));
}

function runChild(
  child: ChildProcess,
  left: number[],
  onReport: (report: SeedReport) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let current: number | undefined;
    const next = (shape?: string): void => {
      current = take(left, shape);
      if (current === undefined) child.disconnect();
      else child.send(current);
    };
    child.on('message', (message: SeedReport | 'ready') => {
      if (message !== 'ready') onReport(message);
      next(message === 'ready' ? undefined : message.shape);
    });
    child.once('exit', () => {
      if (current === undefined) resolve();
      else reject(new Error(`the process of seed ${current} has ended`));
    });
  });
}
