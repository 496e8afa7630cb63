import { CommandError } from '../errors.js';
import { startLocalIc, type StartOptions } from '../local/server.js';
import { forgetLocalIc, isRunning, readLocalIc, writeLocalIc } from '../local/state.js';
import { toJson, type Output } from '../output.js';
import { runSteps } from '../steps.js';

/** `canopy local start`: starts an IC in the background. */
export async function localStart(options: StartOptions, output: Output): Promise<void> {
  const earlier = await readLocalIc();
  if (earlier && (await isRunning(earlier))) {
    output.note(`A local IC runs already, process ${earlier.pid}.`);
    output.print(output.json ? toJson(earlier) : earlier.url);
    return;
  }
  await runSteps(output, [
    {
      title: 'Starting the local IC',
      run: async () => {
        await writeLocalIc(await startLocalIc(options));
      },
    },
  ]);
  const local = (await readLocalIc())!;
  output.note(`The local IC is ready, process ${local.pid}. It forgets everything when it stops.`);
  output.print(output.json ? toJson(local) : local.url);
}

/** `canopy local stop`: ends it. */
export async function localStop(output: Output): Promise<void> {
  const local = await readLocalIc();
  await forgetLocalIc();
  if (!local || !(await isRunning(local))) {
    output.note('No local IC runs here.');
    return;
  }
  process.kill(local.pid);
  for (let tries = 0; tries < 100 && (await isRunning(local)); tries++) {
    await new Promise((wake) => setTimeout(wake, 50));
  }
  if (await isRunning(local)) {
    throw new CommandError(`process ${local.pid} does not end: ${local.server} still answers`);
  }
  output.note('The local IC has stopped.');
}

/** `canopy local status`: whether one runs; exit code 1 where none does. */
export async function localStatus(output: Output): Promise<boolean> {
  const local = await readLocalIc();
  const running = local !== undefined && (await isRunning(local));
  if (output.json) output.print(toJson({ running, ...(running && local) }));
  else output.print(running ? `running at ${local.url}, process ${local.pid}` : 'not running');
  return running;
}
