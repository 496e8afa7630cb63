import { CanopySession, deploy, httpTransport } from '@canopy/client';
import { coordinatorWasmGz } from '@canopy/coordinator';
import { planModel } from '@canopy/partitioner';
import { workerWasmGz } from '@canopy/worker';
import { it } from 'vitest';
import { expectEqualTensors, reference } from './compare.js';
import { createIc } from './deployment.js';
import { testModels } from './models.js';

const model = testModels.find(({ name }) => name === 'digits-cnn')!;

it('an agent deploys and runs a model, with certificates checked', async () => {
  const pic = await createIc();
  try {
    const host = `http://127.0.0.1:${await pic.makeLive()}`;
    const [subnet] = await pic.getApplicationSubnets();
    const effectiveCanisterId = subnet!.canisterRanges[0]!.start.toText();
    const transport = await httpTransport({ host, effectiveCanisterId });
    const planned = await planModel(model.path, { name: 'digits', workers: 3 });
    const deployment = await deploy(planned, {
      transport,
      modules: { coordinator: coordinatorWasmGz(), worker: workerWasmGz() },
    });
    planned.close();
    const session = await CanopySession.create(deployment, { transport });
    const feeds = model.feeds(40, 3);
    const [given, expected] = [await session.run(feeds), await reference(model.path, feeds)];
    expectEqualTensors('logits', given['logits']!, expected['logits']!);
    await pic.stopLive();
  } finally {
    await pic.tearDown();
  }
});
