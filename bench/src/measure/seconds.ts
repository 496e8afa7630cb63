import { encodeBundle } from '@canopy/protocol';
import { EmbeddedIc, callerName } from '../ic/embedded.js';
import { closedLoop } from '../load/closed-loop.js';
import type { BenchModel } from '../models/catalogue.js';
import { openReference } from '../reference.js';
import { waySettings } from '../ways.js';
import { deployModel } from './deployment.js';
import { sendInference } from './request.js';

/** Inputs that are timed, after one that warms up. */
const timed = 3;

async function secondsOf(action: (seed: number) => Promise<unknown>): Promise<number> {
  await action(0);
  const start = performance.now();
  for (let seed = 1; seed <= timed; seed++) await action(seed);
  return (performance.now() - start) / 1000 / timed;
}

/** Seconds an input on the embedded IC, way a, over seconds in onnxruntime-node on one thread. */
export async function secondsRatio(model: BenchModel): Promise<number> {
  const reference = await openReference(model.path());
  const native = await secondsOf((seed) => reference.run(model.input(seed)));
  await reference.close();
  const ic = new EmbeddedIc('2026-07');
  const options = { workers: 1, dims: { ...model.dims } };
  const deployed = await deployModel(ic, model.path(), model.name, options);
  const name = await deployed.use(waySettings('a', deployed.plan));
  const embedded = await secondsOf((seed) =>
    closedLoop(ic, {
      requests: 1,
      concurrency: 1,
      send: () =>
        sendInference(ic, {
          caller: callerName(0),
          coordinator: deployed.coordinator,
          model: name,
          bundle: encodeBundle(model.input(seed)),
        }),
    }),
  );
  return embedded / native;
}
